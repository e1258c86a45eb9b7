import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import { describeFieldErrors, type FieldError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { err, type Result } from "../../core/result.ts";
import { checkFilter } from "../../storage/documents/operators.ts";
import { jsonSize } from "../json-size.ts";
import type { BoundStep, Tool } from "../tool.ts";
import { sealFilter } from "./filters.ts";
import {
  compileTemplate,
  joinPath,
  type PlacedReference,
  resolveTemplate,
  type Scope,
  type Template,
} from "./references.ts";

export interface PlannedConfig {
  readonly bind: (scope: Scope) => Result<BoundStep, string>;
  readonly references: readonly PlacedReference[];
  /** Paths are inside the config. */
  readonly faults: readonly FieldError[];
}

/** Checks a step's config and compiles it. Without a tool (the name is unknown) only its references are looked at. */
export function planConfig(config: JsonObject, tool: Tool | undefined): PlannedConfig {
  const { template, references, faults: syntax } = compileTemplate(config);
  const faults = [...syntax];
  if (tool === undefined) return { bind: () => err("unknown tool"), references, faults };
  const authored = template.kind === "constant" && isJsonObject(template.value) ? template.value : config;
  const bound = tool.bind(authored);
  const held = new Set(references.map(({ path }) => path));
  const atReferences = ({ path }: FieldError) => held.has(path);
  const found = [...(bound.ok ? [] : bound.error), ...tool.check(config), ...filterFaults(config, tool)];
  faults.push(...found.filter((fault) => !atReferences(fault)));
  for (const { reference, path } of references) {
    const isLiteral = tool.literals.some((name) => path === name || path.startsWith(`${name}.`));
    if (isLiteral) faults.push({ path, message: `${reference.text}: no references here` });
  }
  const sealed = sealFilters(template, tool, faults);
  if (bound.ok && template.kind === "constant") return { bind: () => bound, references, faults };
  return { bind: (scope) => bindResolved(sealed, tool, scope), references, faults };
}

function filterFaults(config: JsonObject, tool: Tool): readonly FieldError[] {
  return tool.filters.flatMap((name) => {
    const filter = config[name];
    if (!isJsonObject(filter)) return [];
    return checkFilter(filter).map(({ path, message }) => ({ path: joinPath(name, path), message }));
  });
}

function sealFilters(template: Template, tool: Tool, faults: FieldError[]): Template {
  if (template.kind !== "object") return template;
  const entries = template.entries.map(
    ([name, inner]) => [name, tool.filters.includes(name) ? sealFilter(inner, name, faults) : inner] as const,
  );
  return { kind: "object", entries };
}

function bindResolved(template: Template, tool: Tool, scope: Scope): Result<BoundStep, string> {
  const config = resolveTemplate(template, scope);
  if (!config.ok) return config;
  // Parts are shared, not copied, until somebody writes them out: the size is known before that.
  if (!isJsonObject(config.value) || jsonSize(config.value, RUN_OUTPUT_MAX_BYTES) === null) {
    return err(`its config grows beyond ${RUN_OUTPUT_MAX_BYTES} bytes`);
  }
  const bound = tool.bind(config.value);
  return bound.ok ? bound : err(describeFieldErrors(bound.error));
}
