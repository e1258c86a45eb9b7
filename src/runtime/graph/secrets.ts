import type { FieldError } from "../../core/errors.ts";
import { isMaskedName } from "../../core/mask.ts";
import { isSecretName } from "../../secrets/contract.ts";
import type { Tool } from "../tool.ts";
import type { PlacedReference, Reference } from "./references.ts";
import { urlFault } from "./secret-urls.ts";

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
  ["inputValidation", null, "a check: its output would hold them"],
  ["dbInsert", null, "a document: they would be stored"],
  ["dbFind", null, "a query: whoever chooses the documents could find them out"],
  ["dbUpdate", null, "an update: they would be stored"],
  ["dbDelete", null, "a query: whoever chooses the documents could find them out"],
  ["passwordVerify", "password", "a password: whoever chooses the hash could find them out"],
  ["jwtGenerate", "claims", "claims: whoever holds a token can read them"],
  ["jwtGenerate", "audience", "an audience: whoever holds a token can read it"],
  ["jwtGenerate", "expiresIn", "a token's lifetime: whoever holds the token can read it"],
  ["jwtVerify", "token", "a token: its claims would be the output"],
  ["jwtVerify", "audience", "an audience: whoever makes tokens could find it out"],
  ["authMiddleware", "token", "a token: its claims would be the output"],
  ["authMiddleware", "audience", "an audience: whoever makes tokens could find it out"],
  ["callAgent", "input", "another agent's input: its trace would show them"],
  ["webSearch", null, "a search: its words are kept"],
];

/** Where a secret stands alone: what is known of the text around it would make it easier to find out by trying. */
const ALONE: readonly (readonly [tool: string, property: string])[] = [
  ["passwordVerify", "hash"],
  ["jwtGenerate", "secret"],
  ["jwtVerify", "secret"],
  ["authMiddleware", "secret"],
];

/** Tools that send what they are given to where the author says, and give back what came from there. */
const SENDING: ReadonlySet<string> = new Set(["httpRequest", "emailSend"]);

/** Whether the tool may be given what another one brought back, should a secret be in it. */
export function isSending(tool: Tool | undefined): boolean {
  return tool !== undefined && SENDING.has(tool.name);
}

/**
 * Secrets go out to where a tool acts and nowhere else: not to where they would be shown or kept, and not into a
 * filter, where whoever may choose the documents could find a secret out by trying.
 */
export function secretFaults(references: readonly PlacedReference[], tool: Tool | undefined): readonly FieldError[] {
  return references.flatMap((placed) => {
    const { reference, path } = placed;
    if (!isSecret(reference)) return [];
    const message = secretFault(placed, tool);
    return message === null ? [] : [{ path, message: `${reference.text}: ${message}` }];
  });
}

/** Whether it stands in the address of a request. */
export function isUrl({ path }: PlacedReference, tool: Tool | undefined): boolean {
  return tool?.name === "httpRequest" && path === "url";
}

function secretFault(placed: PlacedReference, tool: Tool | undefined): string | null {
  const { reference, path, parts } = placed;
  const [name] = reference.path;
  if (reference.path.length !== 1 || typeof name !== "string" || !isSecretName(name)) {
    return "write {{secrets.NAME}}, with a name of 1 to 64 letters, digits or _, not starting with a digit";
  }
  if (tool === undefined) return null;
  const holdsIt = (property: string) => isWithin(path, property);
  const place = closedPlace(tool, holdsIt);
  if (place !== null) return `secrets are not available in ${place}`;
  const isAlone = parts.length === 1 || !ALONE.some(([one, property]) => one === tool.name && holdsIt(property));
  if (!isAlone) return "a secret stands alone here, without other text";
  return isUrl(placed, tool) ? urlFault(placed) : null;
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
