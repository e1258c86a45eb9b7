import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { MASK } from "../../core/mask.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Hides, Reference, Scope, Secrets, Template } from "./references.ts";
import { writeUrl } from "./url-text.ts";

const NO_SECRETS: Secrets = new Map();
const NOTHING: ReadonlySet<string> = new Set();

/** Ends a resolution: the message names the reference, never a value. */
class Unresolvable extends Error {
  override readonly name = "Unresolvable";
}

/** A path that leads nowhere. */
class NoValue extends Unresolvable {}

/** What a resolution reads from, and the characters that its texts may still hold. */
interface Source {
  readonly scope: Scope;
  readonly secrets: Secrets;
  readonly hides: Hides | null;
  readonly unknown: ReadonlySet<string>;
  chars: number;
}

/**
 * The config with its references replaced; what they bring in is data and not looked at again. `undefined` where the
 * whole is an optional reference to nothing. The error is a sentence for the caller that names the reference. What
 * `hides` names is masked, and null stands for whatever is read of a step that is `unknown`.
 */
export function resolveTemplate(
  template: Template,
  scope: Scope,
  secrets: Secrets = NO_SECRETS,
  hides: Hides | null = null,
  unknown: ReadonlySet<string> = NOTHING,
): Result<Json | undefined, string> {
  try {
    // Outputs are bounded one by one, but a string can repeat one as often as it likes.
    return ok(resolve(template, { scope, secrets, hides, unknown, chars: RUN_OUTPUT_MAX_BYTES }));
  } catch (error) {
    if (error instanceof Unresolvable) return err(error.message);
    throw error;
  }
}

function resolve(template: Template, source: Source): Json | undefined {
  switch (template.kind) {
    case "constant":
      return template.value;
    case "reference":
      return read(template.reference, source);
    case "text":
      return resolveText(template.parts, source);
    case "url":
      return resolveUrl(template.parts, source);
    case "list":
      return template.items.flatMap((item) => {
        const value = resolve(item, source);
        return value === undefined ? [] : [value];
      });
    case "object":
      return resolveObject(template.entries, source);
    case "equals": {
      const value = resolve(template.inner, source);
      return value === undefined ? undefined : { $eq: value };
    }
    case "orNull":
      return resolveOrNull(template.inner, template.evenOptional, source);
  }
}

function resolveOrNull(inner: Template, evenOptional: boolean, source: Source): Json | undefined {
  try {
    const value = resolve(inner, source);
    return value === undefined && evenOptional ? null : value;
  } catch (error) {
    if (error instanceof NoValue) return null;
    throw error;
  }
}

function resolveObject(entries: readonly (readonly [string, Template])[], source: Source): JsonObject {
  const resolved: [string, Json][] = [];
  for (const [key, inner] of entries) {
    const value = resolve(inner, source);
    if (value !== undefined) resolved.push([key, value]);
  }
  return Object.fromEntries(resolved);
}

function resolveText(parts: readonly (string | Reference)[], source: Source): string {
  let whole = "";
  for (const part of parts) {
    const text = typeof part === "string" ? part : asText(part, source);
    source.chars -= text.length;
    if (source.chars < 0) throw new Unresolvable(`its texts grow beyond ${RUN_OUTPUT_MAX_BYTES} characters`);
    whole += text;
  }
  return whole;
}

function resolveUrl(parts: readonly (string | Reference)[], source: Source): string {
  const url = writeUrl(
    parts.map((part) =>
      typeof part === "string" ? { text: part, reference: null } : { text: asText(part, source), reference: part.text },
    ),
  );
  if (!url.ok) throw new Unresolvable(url.error);
  return resolveText([url.value], source);
}

function read(reference: Reference, { scope, secrets, hides, unknown }: Source): Json | undefined {
  if (unknown.has(reference.root)) return null;
  const isSecret = reference.root === "secrets";
  const value = isSecret ? secrets.get(String(reference.path[0])) : readPath(reference, scope);
  if (value === undefined && !reference.optional) {
    if (isSecret) throw new Unresolvable(`the secret ${reference.path[0]} is not set`);
    throw new NoValue(`${reference.text} has no value`);
  }
  const isShown = value === undefined || value === null || hides === null || !hides(reference);
  return isShown ? value : MASK;
}

/** What stands there; undefined for nothing. Of secrets nothing does. */
export function readPath({ root, path }: Reference, scope: Scope): Json | undefined {
  let value = scope.get(root);
  for (const part of path) {
    if (value === undefined) break;
    value = child(value, part);
  }
  return value;
}

/** Names read objects, indexes read lists: a list's `length` is no data of anybody's. */
function child(value: Json, part: string | number): Json | undefined {
  if (typeof part === "number") return Array.isArray(value) ? (value as readonly Json[])[part] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}

function asText(reference: Reference, source: Source): string {
  const value = read(reference, source);
  if (value === undefined) return "";
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
