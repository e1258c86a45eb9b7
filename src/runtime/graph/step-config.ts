import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import { describeFieldErrors, type FieldError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { checkFilter, checkUpdate } from "../../storage/documents/operators.ts";
import { jsonSize } from "../json-size.ts";
import type { BoundTool, NullWhen, Tool } from "../tool.ts";
import { type Equality, equalitiesIn, sealFilter } from "./filters.ts";
import {
  compileTemplate,
  type Hides,
  joinPath,
  type PlacedReference,
  type Scope,
  type Secrets,
  type Template,
} from "./references.ts";
import { readPath, resolveTemplate } from "./resolve-template.ts";
import { suppliesHost } from "./secret-urls.ts";
import { isSecret, isSending, isSensitive, isUrl, secretFaults, secretNamesIn } from "./secrets.ts";
import { sealUpdate } from "./updates.ts";

/** A step's config, taken apart: resolved and bound anew in every run unless it is the same in all. */
export interface PlannedConfig {
  /** Whether references bring in what a trace does not show. */
  readonly isSensitive: boolean;
  readonly secretNames: readonly string[];
  /** Whether a secret supplies the host of its URL. */
  readonly isHostSecret: boolean;
  /** Whether what it gives may hold a secret that it sent, and what it is given one that came back. */
  readonly isSending: boolean;
  /**
   * References replaced, hidden ones by a mask, those to `unknown` steps by null. The error is a sentence for the caller,
   * without a value in it.
   */
  resolve(
    scope: Scope,
    secrets: Secrets,
    hides?: Hides | null,
    unknown?: ReadonlySet<string>,
  ): Result<ResolvedConfig, string>;
  /**
   * Fields of filters that a reference would have be equal to null: that finds whatever lacks the field too, which an
   * author who means it writes as null or under `$eq`.
   */
  nullEqualities(scope: Scope): readonly FieldError[];
  /** The tool, set up by what `resolve` gave. The error as there. */
  bind(config: JsonObject): Result<BoundTool, string>;
}

/** A config with its references replaced. */
export interface ResolvedConfig {
  readonly value: JsonObject;
  /** As JSON; 0 for one that is the plan's own, the same in every run. */
  readonly bytes: number;
}

interface CheckedConfig {
  readonly planned: PlannedConfig;
  readonly references: readonly PlacedReference[];
  /** Paths are inside the config. */
  readonly faults: readonly FieldError[];
}

/** Checks a step's config and compiles it. Without a tool (the name is unknown) only its references are looked at. */
export function planConfig(config: JsonObject, tool: Tool | undefined): CheckedConfig {
  const { template, references, faults: syntax } = compileTemplate(config, verbatimIn(tool));
  const secretNames = secretNamesIn(references);
  const faults = [...syntax, ...secretFaults(references, tool)];
  const known = {
    secretNames,
    isSensitive: references.some(({ reference }) => isSensitive(reference)),
    isSending: isSending(tool),
    isHostSecret: references.some(
      (placed) => isSecret(placed.reference) && isUrl(placed, tool) && suppliesHost(placed),
    ),
  };
  if (tool === undefined) return { planned: { ...known, ...NOT_PLANNED }, references, faults };
  const constant = template.kind === "constant" && isJsonObject(template.value) ? template.value : null;
  const bound = tool.bind(constant ?? config);
  const held = new Set(references.map(({ path }) => path));
  const atReferences = ({ path }: FieldError) => held.has(path);
  const found = [...(bound.ok ? [] : bound.error), ...tool.check(config), ...operatorFaults(config, tool)];
  faults.push(...found.filter((fault) => !atReferences(fault)));
  const sealed = seal(template, tool, faults);
  if (constant !== null && bound.ok) {
    const resolved = ok({ value: constant, bytes: 0 });
    return {
      planned: { ...known, resolve: () => resolved, nullEqualities: () => [], bind: () => bound },
      references,
      faults,
    };
  }
  const equalities = filterEqualities(sealed, tool);
  const planned: PlannedConfig = {
    ...known,
    nullEqualities: (scope) => equalities.flatMap((equality) => nullFault(equality, scope)),
    resolve: (scope, secrets, hides, unknown) => resolveConfig(resolveTemplate(sealed, scope, secrets, hides, unknown)),
    bind: (resolved) => bindTool(tool, resolved),
  };
  return { planned, references, faults };
}

/** Of a graph that is refused. */
const NOT_PLANNED = {
  resolve: () => err("unknown tool"),
  nullEqualities: () => [],
  bind: () => err("unknown tool"),
};

function filterEqualities(sealed: Template, { filters }: Tool): readonly Equality[] {
  if (sealed.kind !== "object") return [];
  return sealed.entries.flatMap(([name, inner]) => (filters.includes(name) ? equalitiesIn(inner, name) : []));
}

function nullFault({ reference, path }: Equality, scope: Scope): readonly FieldError[] {
  const isNull = readPath(reference, scope) === null;
  return isNull ? [{ path, message: `a value is needed, and ${reference.text} is null` }] : [];
}

/** Properties in which `{{` is text like any other. */
function verbatimIn(tool: Tool | undefined): readonly string[] {
  return tool === undefined ? [] : [...tool.expressions, ...tool.literals];
}

/** Of filters and updates, whose strings may still hold references. */
function operatorFaults(config: JsonObject, { filters, updates }: Tool): readonly FieldError[] {
  const faultsIn = (names: readonly string[], check: (value: JsonObject) => readonly FieldError[]) =>
    names.flatMap((name) => {
      const value = config[name];
      if (!isJsonObject(value)) return [];
      return check(value).map(({ path, message }) => ({ path: path === "" ? name : joinPath(name, path), message }));
    });
  return [...faultsIn(filters, checkFilter), ...faultsIn(updates, checkUpdate)];
}

function seal(template: Template, { filters, updates, urls, nullWhenMissing }: Tool, faults: FieldError[]): Template {
  if (template.kind !== "object") return template;
  const entries = template.entries.map(([name, inner]) => {
    if (filters.includes(name)) return [name, sealFilter(inner, name, faults)] as const;
    if (updates.includes(name)) return [name, sealUpdate(inner, name, faults)] as const;
    if (urls.includes(name) && inner.kind === "text") return [name, { kind: "url", parts: inner.parts }] as const;
    return [name, sealMissing(inner, nullWhenMissing.get(name))] as const;
  });
  return { kind: "object", entries };
}

/** Of what is not one text as a whole, a part that is missing fails the step as it does anywhere. */
function sealMissing(inner: Template, when: NullWhen | undefined): Template {
  if (when === undefined || (inner.kind !== "reference" && inner.kind !== "text")) return inner;
  return { kind: "orNull", inner, evenOptional: when === "always" };
}

function resolveConfig(config: Result<Json | undefined, string>): Result<ResolvedConfig, string> {
  if (!config.ok) return config;
  // Parts are shared, not copied, until somebody writes them out: the size is known before that.
  const { value } = config;
  const bytes = isJsonObject(value) ? jsonSize(value, RUN_OUTPUT_MAX_BYTES) : null;
  if (bytes === null) return err(`its config grows beyond ${RUN_OUTPUT_MAX_BYTES} bytes, or nests too deep`);
  return ok({ value: value as JsonObject, bytes });
}

function bindTool(tool: Tool, config: JsonObject): Result<BoundTool, string> {
  const bound = tool.bind(config);
  return bound.ok ? bound : err(describeFieldErrors(bound.error));
}
