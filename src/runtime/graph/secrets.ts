import type { FieldError } from "../../core/errors.ts";
import { isMaskedName } from "../../core/mask.ts";
import { isSecretName } from "../../secrets/contract.ts";
import type { Tool } from "../tool.ts";
import type { PlacedReference, Reference } from "./references.ts";

export function isSecret(reference: Reference): boolean {
  return reference.root === "secrets";
}

/** A secret, or the value under a name that secrets have: `{{input.password}}`, wherever it goes. */
export function isSensitive(reference: Reference): boolean {
  return isSecret(reference) || reference.path.some((part) => typeof part === "string" && isMaskedName(part));
}

/** Names of the secrets that a config refers to. */
export function secretNamesIn(references: readonly PlacedReference[]): readonly string[] {
  return references.flatMap(({ reference }) => {
    const name = isSecret(reference) ? reference.path[0] : undefined;
    return typeof name === "string" ? [name] : [];
  });
}

/** Where a value would be shown, kept or passed on out of the mask's reach. Without a property it is all of a config. */
const CLOSED: readonly (readonly [tool: string, property: string | null, place: string])[] = [
  ["response", null, "an answer"],
  ["dbInsert", "document", "a document: they would be stored"],
  ["jwtGenerate", "claims", "claims: whoever holds a token can read them"],
  ["callAgent", "input", "another agent's input: its trace would show them"],
  ["webSearch", null, "a search: its words are kept"],
  ["inputValidation", null, "a check: its output would hold them"],
];

/**
 * Secrets go out to where a tool acts and nowhere else: not to where they would be shown or kept, and not into a
 * filter, where whoever may choose the documents could find a secret out by trying.
 */
export function secretFaults(references: readonly PlacedReference[], tool: Tool | undefined): readonly FieldError[] {
  return references.flatMap(({ reference, path }) => {
    if (!isSecret(reference)) return [];
    const message = secretFault(reference, path, tool);
    return message === null ? [] : [{ path, message: `${reference.text}: ${message}` }];
  });
}

function secretFault({ path: parts }: Reference, path: string, tool: Tool | undefined): string | null {
  const [name] = parts;
  if (parts.length !== 1 || typeof name !== "string" || !isSecretName(name)) {
    return "write {{secrets.NAME}}, with a name of 1 to 64 letters, digits or _, not starting with a digit";
  }
  const place = tool === undefined ? null : closedPlace(tool, (property) => isWithin(path, property));
  return place === null ? null : `secrets are not available in ${place}`;
}

function closedPlace({ name, filters, updates }: Tool, holdsIt: (property: string) => boolean): string | null {
  if (filters.some(holdsIt)) return "a filter";
  if (updates.some(holdsIt)) return "an update: they would be stored";
  const closed = CLOSED.find(([tool, property]) => tool === name && (property === null || holdsIt(property)));
  return closed?.[2] ?? null;
}

function isWithin(path: string, property: string): boolean {
  return path === property || path.startsWith(`${property}.`);
}
