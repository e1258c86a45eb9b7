import { expect, test } from "vitest";
import type { FieldError } from "../../../src/core/errors.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { compileTemplate } from "../../../src/runtime/graph/references.ts";
import { secretFaults } from "../../../src/runtime/graph/secrets.ts";
import { toolRegistry } from "../../../src/runtime/registry.ts";
import type { Tool } from "../../../src/runtime/tool.ts";
import { describeTools } from "../../../src/runtime/tools-page.ts";

/** Refused where the graph is written. */
const CLOSED = "closed";
/** Open to a secret that is the whole value. */
const ALONE = "alone";
/** Open to a secret that is the whole value or begins a URL, and behind a URL's host. */
const NO_HOST = "no host, and goes out where the policy's allowed hosts let it";
/** Not behind references: `{{` is text there. */
const NO_REFERENCES = "no references";

/**
 * Every setting of every tool, and what becomes of a secret in it: one of the words above, or why it may stand there.
 * What comes back from where a secret was sent is masked before anything else reads it.
 */
const PLACES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  input: {},
  inputValidation: { schema: NO_REFERENCES, data: CLOSED },
  dbInsert: { collection: CLOSED, document: CLOSED, unique: CLOSED, hash: CLOSED, hide: CLOSED },
  dbFind: {
    collection: CLOSED,
    filter: CLOSED,
    sort: CLOSED,
    limit: CLOSED,
    one: CLOSED,
    hide: CLOSED,
    required: CLOSED,
  },
  dbUpdate: { collection: CLOSED, filter: CLOSED, update: CLOSED, upsert: CLOSED, many: CLOSED },
  dbDelete: { collection: CLOSED, filter: CLOSED, many: CLOSED },
  passwordVerify: { password: CLOSED, hash: ALONE, status: "takes four numbers and no text" },
  jwtGenerate: { claims: CLOSED, expiresIn: CLOSED, secret: ALONE, audience: CLOSED },
  jwtVerify: { token: CLOSED, secret: ALONE, audience: CLOSED },
  authMiddleware: { token: CLOSED, secret: ALONE, audience: CLOSED },
  httpRequest: {
    url: NO_HOST,
    method: "takes seven words, which are no secrets",
    headers: "goes out",
    query: "goes out",
    body: "goes out",
    expect: "takes numbers and no text",
  },
  emailSend: {
    from: "goes out, to a service of the operator's",
    to: "goes out",
    subject: "goes out",
    text: "goes out",
    html: "goes out",
  },
  webSearch: {
    query: CLOSED,
    maxResults: CLOSED,
    topic: CLOSED,
    searchDepth: CLOSED,
    timeRange: CLOSED,
    includeDomains: CLOSED,
    excludeDomains: CLOSED,
    country: CLOSED,
    language: CLOSED,
    includeAnswer: CLOSED,
    includeRawContent: CLOSED,
    cache: CLOSED,
  },
  transform: { expression: NO_REFERENCES, fields: NO_REFERENCES },
  callAgent: { agentId: "an agent's id is no secret, and is shown as it is", input: CLOSED },
  code: { source: NO_REFERENCES },
  response: { status: CLOSED, headers: CLOSED, body: CLOSED },
};

const settingsOf = new Map(describeTools(toolRegistry).map(({ name, config }) => [name, settingsIn(config)]));

function settingsIn({ properties = {}, $ref, $defs = {} }: JsonObject): readonly string[] {
  if (typeof $ref !== "string") return Object.keys(properties as JsonObject);
  return settingsIn(($defs as Record<string, JsonObject>)[$ref.replace("#/$defs/", "")] ?? {});
}

function faultsAt(tool: Tool, property: string, value: Json): readonly FieldError[] {
  const { references } = compileTemplate({ [property]: value }, [...tool.expressions, ...tool.literals]);
  return secretFaults(references, tool);
}

test("every setting of every tool is in the table", () => {
  const told = Object.entries(PLACES).map(([name, places]) => [name, Object.keys(places).sort()]);
  const there = [...settingsOf].map(([name, settings]) => [name, settings.toSorted()]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(there));
});

test.each(
  Object.entries(PLACES).flatMap(([name, places]) =>
    Object.entries(places).map(([property, verdict]) => [name, property, verdict] as const),
  ),
)("a secret in %s as its %s: %s", (name, property, verdict) => {
  const tool = toolRegistry.get(name) as Tool;
  const messages = ["{{secrets.KEY}}", "a {{secrets.KEY}}", { deep: ["{{secrets.KEY?}}"] }].map((value) =>
    faultsAt(tool, property, value).map(({ message }) => message),
  );
  const isRefused = messages.map(({ length }) => length > 0);
  if (verdict === CLOSED) expect(isRefused).toEqual([true, true, true]);
  else if (verdict === ALONE || verdict === NO_HOST) expect(isRefused).toEqual([false, true, false]);
  else expect(isRefused).toEqual([false, false, false]);
  for (const message of messages.flat()) expect(message).toMatch(/secrets are not available in|stands alone/);
});

test("the fault of a secret says where it stands", () => {
  const tool = toolRegistry.get("jwtGenerate") as Tool;
  expect(faultsAt(tool, "audience", "{{secrets.S2}}")).toEqual([
    {
      path: "audience",
      message: "{{secrets.S2}}: secrets are not available in an audience: whoever holds a token can read it",
    },
  ]);
});
