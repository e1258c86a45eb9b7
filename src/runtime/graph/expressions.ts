import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { Graph, Policy } from "../contract.ts";
import type { Expression, Expressions } from "../expressions/expression.ts";
import { EXPRESSION_MAX_CHARS } from "../limits.ts";
import type { Registry } from "../registry.ts";
import type { Tool } from "../tool.ts";
import { joinPath } from "./references.ts";
import type { RootFault } from "./roots.ts";
import { isValueWord, misnamedSteps, writtenStep } from "./step-names.ts";

/** What expressions are compiled with, and where their faults go. */
export interface ExpressionPlanning {
  /** Null where none is compiled any more: a fault has told why. */
  readonly expressions: Expressions | null;
  readonly rootFault: RootFault;
  /** The graph's steps, to say how one is named that is no CEL name. */
  readonly toolIds: ReadonlySet<string>;
  readonly faults: FieldError[];
}

/** Compiles an expression and checks the names that it reads. Null where it has faults. */
export function planExpression(
  text: string,
  path: string,
  { expressions, rootFault, toolIds, faults }: ExpressionPlanning,
): Expression | null {
  const message = formFault(text);
  if (message !== null) {
    faults.push({ path, message });
    return null;
  }
  if (expressions === null) return null;
  const compiled = expressions.compile(text);
  const misnamed = misnamedSteps(text, toolIds);
  if (!compiled.ok) {
    const hints = misnamed.map((id) => `; the step ${id} is ${writtenStep(id)} here`);
    faults.push({ path, message: `${compiled.error}${hints.join("")}` });
    return null;
  }
  const wrong = new Set(misnamed.filter(isValueWord).map(valueFault));
  for (const root of compiled.value.roots) {
    const fault = rootFault(root);
    if (fault === null) continue;
    // `my-step` is `my` less `step` to CEL.
    const meant = toolIds.has(root) ? undefined : misnamed.find((id) => id.split("-").includes(root));
    wrong.add(meant === undefined ? `${root}: ${fault}` : hyphenFault(meant));
  }
  faults.push(...Array.from(wrong, (message) => ({ path, message })));
  return wrong.size === 0 ? compiled.value : null;
}

function hyphenFault(id: string): string {
  return `${id} is a subtraction here: the step is ${writtenStep(id)}`;
}

function valueFault(id: string): string {
  return `${id} is a value here: the step is ${writtenStep(id)}; give it another id`;
}

function formFault(text: string): string | null {
  if (text.length > EXPRESSION_MAX_CHARS) return `an expression holds at most ${EXPRESSION_MAX_CHARS} characters`;
  return text.includes("{{") ? "an expression names steps as they are: write input.email, not {{input.email}}" : null;
}

/** The expressions of a graph and of its policy's rules, before any of them is compiled. */
export function countExpressions({ tools }: Pick<Graph, "tools">, registry: Registry, { deny = [] }: Policy): number {
  const inSteps = tools.map(({ name, config, when }) => {
    const tool = registry.get(name);
    return (when === undefined ? 0 : 1) + (tool === undefined ? 0 : textsIn(config, tool).length);
  });
  return inSteps.reduce((sum, count) => sum + count, deny.length);
}

/** The expressions of a config by their paths (`expression`, `fields.total`). */
export function planExpressions(
  config: JsonObject,
  tool: Tool,
  planning: ExpressionPlanning,
): ReadonlyMap<string, Expression> {
  const planned = new Map<string, Expression>();
  for (const [path, text] of textsIn(config, tool)) {
    const expression = planExpression(text, path, planning);
    if (expression !== null) planned.set(path, expression);
  }
  return planned;
}

/** By their paths. Values that are no text are the business of the tool's own schema. */
function textsIn(config: JsonObject, { expressions }: Tool): readonly (readonly [string, string])[] {
  const values = expressions.flatMap((name): readonly (readonly [string, unknown])[] => {
    const value = Object.hasOwn(config, name) ? config[name] : undefined;
    if (!isJsonObject(value)) return [[name, value]];
    return Object.entries(value).map(([key, inner]) => [joinPath(name, key), inner]);
  });
  return values.flatMap(([path, value]) => (typeof value === "string" ? [[path, value] as const] : []));
}
