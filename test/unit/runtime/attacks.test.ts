import { afterAll, describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import type { Policy } from "../../../src/runtime/contract.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";
import { ANYBODY, agentBody, callBy, createTestRuntime, requestOf, SYSTEM } from "../../support/runtime/runtime.ts";
import { type AttackScene, outcomeOf, SECRET } from "./execution/attack-scene.ts";
import type { Step } from "./execution/scene.ts";

/** An expression's budget is some 25 ms; the rest is for machines that are slow or busy. */
const SLOWEST_MS = 1_000;

const table: { readonly attack: string; readonly "how it was refused": string; readonly ms: number }[] = [];

afterAll(() => console.table(table));

type Attack = readonly [attack: string, steps: readonly Step[], scene: AttackScene, how: RegExp];

function attempt(rows: readonly Attack[]): void {
  test.each(rows)("%s", async (attack, steps, scene, how) => {
    const cpuMs = startCpuTimer();
    const outcome = await outcomeOf(steps, scene);
    const ms = cpuMs();
    table.push({ attack, "how it was refused": outcome.slice(0, 110), ms: Math.round(ms) });
    expect(outcome).toMatch(how);
    expect(ms).toBeLessThan(SLOWEST_MS);
  });
}

function step(name: string, config: object, more: object = {}): Exclude<Step, string> {
  return { name, config: config as Record<string, Json>, ...more };
}

const find = (filter: unknown) => step("dbFind", { collection: "users", filter });
const update = (changes: unknown, more: object = {}) =>
  step("dbUpdate", { collection: "users", filter: { _id: "ada" }, update: changes, ...more });
const remove = (filter: unknown) => step("dbDelete", { collection: "users", filter, many: true });
const insert = (document: unknown, more: object = {}) => step("dbInsert", { collection: "users", document, ...more });
const respond = (body: unknown, more: object = {}) => step("response", { body, ...more });
const request = (url: string, more: object = {}, settings: object = {}) =>
  step("httpRequest", { url, ...more }, settings);
const transform = (expression: string) => step("transform", { expression });
/** A step's own data, brought in by references. */
const hold = (toolId: string, data: unknown) => step("inputValidation", { schema: {}, data }, { toolId });
/** A rightful use of the secret, so that it is at hand in the run. */
const CALL = request("https://api.example/", { headers: { authorization: "Bearer {{secrets.KEY}}" } });
/** An upstream that repeats what it is sent. */
const ECHO = request("https://api.example/echo", { headers: { "x-echo": "k={{secrets.KEY}}" } });
const deny = (...rules: readonly string[]) => ({
  policy: { deny: rules.map((when, i) => ({ name: `rule ${i}`, when })) },
});

const HOSTS = { allowedHosts: ["api.example"] };
const SMALL = { policy: { maxOutputBytes: 1_000 } };
const SHORT = { policy: { maxDurationMs: 50 } };
const SECRET_SOURCE = "export default () => ({ key: '{{secrets.KEY}}' });";
const MANY = Array.from({ length: 10_000 }, (_, i) => i);
const NESTED_LOOPS = "input != null && input.all(a, input.all(b, input.all(c, a + b + c >= 0)))";
const SLOW_PATTERN = "input != null && input.matches('(a|b)*a(a|b){20}(a|b){60}[cd]$')";
const DOUBLING = `input != null && input.map(x, 'abcdefgh')${".map(a, a + a)".repeat(20)} == []`;
const TOO_MUCH = /^POLICY_REFUSED: step input: .*(too much work|text of more than)/;
const SET = { headers: { "x-name": "{{input}}" } };
const SENT = request("https://api.example/", { headers: { "x-name": "{{input}}" } });
const SENT_ALL = request("https://api.example/", { headers: "{{input}}" });
const MAIL = step("emailSend", { to: "ada@example.com", subject: "{{input}}", text: "hi" });
const FIVE = ["a", "b", "c", "d", "e"].map((toolId) => ({ ...step("code", { source: SECRET_SOURCE }), toolId }));

/** Rules that deny nothing, by their names. */
function named(...names: readonly string[]): AttackScene {
  return { policy: { deny: names.map((name) => ({ name, when: "false" })) } };
}

/** Steps of so many expressions each. */
function fields(steps: number, each: number): readonly Step[] {
  const all = Object.fromEntries(Array.from({ length: each }, (_, i) => [`f${i}`, "1"]));
  return Array.from({ length: steps }, (_, i) => step("transform", { fields: all }, { toolId: `t${i}` }));
}

/** Steps of which each makes something of what the one before made. */
function chain(length: number, make: (before: string) => unknown): readonly Step[] {
  return Array.from({ length }, (_, i) => hold(`s${i}`, i === 0 ? "x" : make(`s${i - 1}`)));
}

const NOT_LET_IN = /^not let in: /;
const NO_SECRETS = /^not let in: .*secrets are not available/;
const INVALID = /^VALIDATION_FAILED: /;

attempt([
  ["an operator as a filter's value", ["input", find({ name: "{{input}}" })], { input: { $ne: null } }, /200 \[\]$/],
  ["an operator under an operator", ["input", find({ name: { $eq: "{{input}}" } })], { input: { $gt: "" } }, /\[\]$/],
  ["operators as items of $in", ["input", find({ name: { $in: "{{input}}" } })], { input: [{ $ne: 1 }] }, /\[\]$/],
  ["an operator where $in takes a list", ["input", find({ name: { $in: "{{input}}" } })], { input: {} }, /a list is/],
  ["$where as a value", ["input", find({ name: "{{input}}" })], { input: { $where: "sleep(9)" } }, /200 \[\]$/],
  ["a branch of $or by reference", ["input", find({ $or: "{{input}}" })], { input: [{}] }, NOT_LET_IN],
  ["a whole filter by reference", ["input", find("{{input}}")], { input: {} }, /never conditions/],
  ["a filter out of a text", ["input", find('{"name": {{input}}}')], { input: { $ne: 1 } }, NOT_LET_IN],
  ["a field's name by reference", ["input", find({ "{{input}}": "x" })], { input: "$where" }, /200 \[\]$/],
  ["$where by the author", ["input", find({ $where: "1" })], {}, /not an operator/],
  ["deleting what $exists", ["input", remove({ _id: "{{input}}" })], { input: { $exists: true } }, /deletedCount":0/],
  ["deleting all by leaving out", ["input", remove({ _id: "{{input.id?}}" })], { input: {} }, /takes its condition/],
  [
    "an update by reference",
    ["input", update("{{input}}")],
    { input: { $set: { role: "admin" } } },
    /written as an obj/,
  ],
  [
    "fields to set by reference",
    ["input", update({ $set: "{{input}}" })],
    { input: { role: "admin" } },
    /fields that c/,
  ],
  ["an operator inside what is set", ["input", update({ $set: { p: "{{input}}" } })], { input: { $inc: 1 } }, INVALID],
  ["a path inside what is set", ["input", update({ $set: { p: "{{input}}" } })], { input: { "a.role": 1 } }, INVALID],
  ["an operator as a number", ["input", update({ $inc: { n: "{{input}}" } })], { input: { $set: 1 } }, INVALID],
  [
    "a condition to $pull by",
    ["input", update({ $pull: { tags: "{{input}}" } })],
    { input: { $ne: 1 } },
    /dCount":0\}$/,
  ],
  [
    "a condition to $pull elements by",
    ["input", update({ $pull: { tags: { id: "{{input}}" } } })],
    { input: { $exists: false } },
    /modifiedCount":0\}$/,
  ],
  [
    "an upsert with an operator for an _id",
    ["input", update({ $set: { a: 1 } }, { filter: { _id: "{{input}}" }, upsert: true })],
    { input: { $ne: null } },
    INVALID,
  ],
  ["a document with __proto__", ["input", insert("{{input}}")], { input: JSON.parse('{"__proto__":{}}') }, INVALID],
  ["a document with constructor", ["input", insert("{{input}}")], { input: { a: { constructor: 1 } } }, INVALID],
  [
    "a document in another's place",
    ["input", insert("{{input}}")],
    { input: { _id: "ada", role: "admin" } },
    /^DUPLIC/,
  ],
  ["a password that no hash takes", ["input", insert("{{input}}", { hash: ["p"] })], { input: { p: ["x"] } }, INVALID],
]);

attempt([
  [
    "a reference in data",
    ["input", CALL, respond("{{input}}")],
    { input: "{{secrets.KEY}}" },
    /"\{\{secrets\.KEY\}\}"$/,
  ],
  [
    "a reference of two halves",
    ["input", CALL, respond("{{input.a}}{{input.b}}")],
    { input: { a: "{{secr", b: "ets.KEY}}" } },
    /"\{\{secrets\.KEY\}\}"$/,
  ],
  ["a reference in stored data", ["input", CALL, find({ name: "Bob" }), respond("{{dbFind[0].note}}")], {}, /\{\{ada/],
  [
    "an escaped one, passed on",
    ["input", CALL, hold("a", "\\{{secrets.KEY}}"), hold("b", "{{a}}{{a}}"), respond("{{b}}")],
    {},
    /"\{\{secrets\.KEY\}\}\{\{secrets\.KEY\}\}"$/,
  ],
  ["a reference as a name", ["input", CALL, respond("{{input}}")], { input: { "{{secrets.KEY}}": 1 } }, /\{\{secrets/],
  [
    "an expression in data",
    ["input", CALL, transform("input")],
    { input: "steps['secrets']" },
    /"steps\['secrets'\]"$/,
  ],
  ["code in an expression's place", ["input", transform("{{input}}")], { input: "true" }, /names steps as they are/],
  ["code out of data", ["input", step("code", { source: "{{input}}" })], { input: "export default 1" }, /default/],
  [
    "a condition in data",
    ["input", { ...CALL, when: "input.role == 'admin'" }, respond(["{{httpRequest}}"])],
    { input: { role: "x' || true || 'admin" } },
    /answered 200 \[null\]/,
  ],
  ["data for a yes", ["input", { ...CALL, when: "input" }], { input: { yes: true } }, /neither true nor false/],
  ["data that makes a condition fail", ["input", { ...CALL, when: "input.a == 1" }], { input: [] }, /its condition/],
  [
    "data that makes a condition slow",
    ["input", { ...CALL, when: "input.all(a, input.all(b, a == b || true))" }],
    { input: Array.from({ length: 10_000 }, (_, i) => i) },
    /too much work/,
  ],
  ["__proto__ in a path", ["input", respond("{{input.__proto__.x}}")], {}, /never part of a path/],
  ["constructor in a path", ["input", respond("{{input.constructor.name?}}")], {}, /never part of a path/],
  ["an inherited property", ["input", respond("{{input.toString}}")], {}, /has no value/],
  ["a list's length", ["input", respond("{{input.length}}")], { input: [1] }, /has no value/],
  ["a step called __proto__", [step("input", {}, { toolId: "__proto__" })], {}, /never the id of a step/],
  ["a tool called constructor", ["input", step("constructor", {})], {}, /no tool is named constructor/],
  [
    "__proto__ in an answer",
    ["input", respond("{{input}}")],
    { input: JSON.parse('{"__proto__":{"polluted":1}}') },
    /1/,
  ],
  ["a later step", ["input", respond("{{late}}", {}), hold("late", 1)], {}, /does not run before/],
  ["a step beside it", [hold("a", "{{b}}"), hold("b", 1)], { order: [["a", "b"]] }, /runs at the same time/],
  ["itself", [hold("a", "{{a}}")], {}, /does not run before/],
  [
    "what a skipped guard would have given",
    ["input", step("jwtVerify", {}, { when: "false" }), respond("{{jwtVerify.sub}}")],
    {},
    /\{\{jwtVerify\.sub\}\} has no value/,
  ],
]);

attempt([
  ["a secret in an answer", [respond({ a: ["is {{secrets.KEY}}"] })], {}, NO_SECRETS],
  ["a secret in an answer's header", [respond(1, { headers: { "X-Key": "{{secrets.KEY}}" } })], {}, NO_SECRETS],
  ["a secret in a filter", [find({ $or: [{ key: "{{secrets.KEY}}" }] })], {}, NO_SECRETS],
  ["a secret in an update", [update({ $set: { key: "{{secrets.KEY}}" } })], {}, NO_SECRETS],
  ["a secret in a document", [insert({ key: "{{secrets.KEY}}" })], {}, NO_SECRETS],
  ["a secret in claims", [step("jwtGenerate", { claims: { key: "{{secrets.KEY}}" } })], {}, NO_SECRETS],
  ["a secret as an audience", [step("jwtGenerate", { claims: {}, audience: "{{secrets.KEY}}" })], {}, NO_SECRETS],
  ["a secret as a lifetime", [step("jwtGenerate", { claims: {}, expiresIn: "{{secrets.KEY}}s" })], {}, NO_SECRETS],
  ["a token that is a secret, for its claims", [step("jwtVerify", { token: "{{secrets.KEY}}" })], {}, NO_SECRETS],
  ["a secret as a key that is filled up", [step("jwtVerify", { secret: "{{secrets.KEY}}xxxx" })], {}, /stands alone/],
  ["a secret as a collection", [step("dbFind", { collection: "{{secrets.KEY}}", filter: {} })], {}, NO_SECRETS],
  [
    "a secret as a password, for a hash of the author's",
    [step("passwordVerify", { password: "{{secrets.KEY}}", hash: "$scrypt$" })],
    {},
    NO_SECRETS,
  ],
  [
    "a secret for another agent",
    [step("callAgent", { agentId: `agent_${"0".repeat(26)}`, input: { key: "{{secrets.KEY}}" } })],
    {},
    NO_SECRETS,
  ],
  ["a secret as a search", [step("webSearch", { query: "{{secrets.KEY}}" })], {}, NO_SECRETS],
  ["a secret passed on by a step", [hold("a", "{{secrets.KEY}}"), insert({ key: "{{a}}" })], {}, NO_SECRETS],
  ["all secrets", [request("https://api.example/", { body: "{{secrets}}" })], {}, /write \{\{secrets\.NAME\}\}/],
  ["a secret in a condition", [{ ...CALL, when: "secrets.KEY != ''" }], {}, /no secrets/],
  ["a secret in a rule", [CALL], deny("secrets.KEY.startsWith('s')"), /no secrets/],
  ["a secret by a computed name", [CALL, transform("steps['secrets'].KEY")], {}, /no secrets/],
  [
    "a secret that an upstream repeats",
    [request("https://api.example/echo", { headers: { "x-echo": "k={{secrets.KEY}}" } }), respond("{{httpRequest}}")],
    {},
    /"body":"k=\[masked\]"/,
  ],
  [
    "a secret that an upstream repeats, taken apart by an expression",
    [ECHO, transform("httpRequest.body.split('')"), respond("{{transform}}")],
    {},
    /^answered 200 \["k","=","\[","m","a","s","k","e","d","\]"\]$/,
  ],
  [
    "a secret that an upstream repeats, in a condition",
    [ECHO, respond("it is", { status: 201 }), respond("it is not")].map((one, i) =>
      i === 1 ? { ...one, when: `httpRequest.body.startsWith('k=${SECRET.charAt(0)}')`, toolId: "yes" } : one,
    ),
    {},
    /^answered 200 "it is not"$/,
  ],
  [
    "a secret that an upstream repeats, stored and found",
    [
      ECHO,
      insert({ _id: "x", chars: "{{httpRequest.body}}" }),
      find({ _id: "x" }),
      transform("dbFind[0].chars.substring(0, 5)"),
      respond("{{transform}}"),
    ],
    {},
    /^answered 200 "k=\[ma"$/,
  ],
  [
    "a secret in an address, in a trace and repeated",
    [
      request("https://api.example/echo", { query: { k: "{{secrets.KEY}}" } }),
      respond("{{httpRequest.headers.x-url}}"),
    ],
    {},
    /"https:\/\/api\.example\/echo\?k=\[masked\]"$/,
  ],
  ["a secret in a host, in an error", [request("https://a.{{secrets.KEY}}.example/")], {}, NO_SECRETS],
  [
    "a secret in an answer's header, by an upstream",
    [
      request("https://api.example/echo", { headers: { "x-echo": "{{secrets.KEY}}" } }),
      respond(1, { headers: { "x-key": "{{httpRequest.body}}" } }),
    ],
    {},
    /answered 200 1$/,
  ],
  [
    "a secret as JSON, URLs, forms and base64 write it",
    [CALL, request("https://api.example/forms", {}, { toolId: "forms" }), respond("{{forms.body}}")],
    {},
    /^answered 200 \{"\[masked\]":\[("\w{0,3}\[masked\]\w{0,2}={0,2}",?){10}\]\}$/,
  ],
  ["a secret in the source of code", [CALL, step("code", { source: SECRET_SOURCE })], {}, /code is not available here/],
]);

attempt([
  ["a tool that is not allowed", ["input", CALL], { policy: { allowedTools: ["input"] } }, /allowed-tools do not name/],
  [
    "a tool by its other name",
    ["input", step("authMiddleware", {})],
    { policy: { allowedTools: ["input", "jwtVerify"] } },
    /allowed-tools do not name authMiddleware/,
  ],
  [
    "a host that is not allowed",
    [request("https://evil.example/")],
    { policy: HOSTS },
    /^POLICY_REFUSED: .*allowed hosts/,
  ],
  [
    "a host by a redirect",
    [request("https://api.example/away")],
    { policy: HOSTS },
    /^POLICY_REFUSED: .*evil\.example/,
  ],
  [
    "a host by a redirect, with onError",
    [request("https://api.example/away", {}, { onError: "continue" }), respond(1)],
    { policy: HOSTS },
    /^POLICY_REFUSED/,
  ],
  [
    "a host by reference",
    ["input", request("https://{{input}}/")],
    { policy: HOSTS, input: "evil.example/#" },
    /^POLICY_REFUSED/,
  ],
  [
    "a path that makes a host",
    ["input", request("https://api.example{{input}}")],
    { policy: HOSTS, input: ".evil.example/" },
    /^POLICY_REFUSED: .*allowed hosts/,
  ],
  [
    "a path that makes credentials of a host",
    ["input", request("https://api.example{{input}}")],
    { policy: HOSTS, input: "@evil.example/" },
    /^RUN_FAILED: .*credentials/,
  ],
  ["a rule over what is missing", [CALL], deny("config.body.a == 1"), /^POLICY_REFUSED: .*could not be evaluated/],
  [
    "a rule over what may be missing",
    [CALL],
    deny("config.?method.orValue('GET') == 'GET'"),
    /^POLICY_REFUSED: .*denies/,
  ],
  [
    "an agent that a rule does not name",
    [CALL, step("callAgent", { agentId: `agent_${"1".repeat(26)}` })],
    deny(`tool.name == 'callAgent' && config.agentId != 'agent_${"0".repeat(26)}'`),
    /^POLICY_REFUSED: step callAgent: .*denies/,
  ],
  ["a rule that divides by zero", [CALL], deny("1 / 0 == 1"), /^POLICY_REFUSED: .*could not be evaluated/],
  ["a rule that gives a text", [CALL], deny("config.url"), /^POLICY_REFUSED: .*neither true nor false/],
  ["a rule that gives null", [CALL], deny("null"), /^POLICY_REFUSED: .*neither true nor false/],
  ["a rule that fails behind one that passes", [CALL], deny("false", "config.gone"), /"rule 1" could not be evaluated/],
  [
    "a rule that reads a secret in a config",
    [CALL],
    deny("config.headers.authorization == 'Bearer [masked]'"),
    /denies/,
  ],
  [
    "a rule that reads a secret an upstream repeated",
    [
      request("https://api.example/echo", { headers: { "x-echo": "{{secrets.KEY}}" } }),
      request("https://api.example/", { body: "{{httpRequest.body}}" }, { toolId: "again" }),
    ],
    deny("tool.id == 'again' && config.body == '[masked]'"),
    /^POLICY_REFUSED: .*denies/,
  ],
  [
    "a step called like what rules read",
    ["input", hold("config", { url: "https://good.example/" }), CALL],
    deny("tool.name == 'httpRequest' && config.url != 'https://good.example/'"),
    /^POLICY_REFUSED: step httpRequest/,
  ],
  [
    "a caller who says who it is",
    ["input", CALL],
    { ...deny("caller.kind == 'anonymous'"), input: { caller: { kind: "key" } } },
    /^POLICY_REFUSED/,
  ],
  ["a rule of a built-in name", [CALL], named("Max-Calls "), /is a rule that every policy has/],
  ["two rules of one name", [CALL], named("a rule", "A Rule"), /another rule is named/],
  ["onError past a denied step", [{ ...CALL, onError: "continue" }, respond(1)], deny("true"), /^POLICY_REFUSED/],
  [
    "a jump past a denied step",
    [{ ...CALL, onError: "response" }, hold("a", 1), respond(1)],
    deny("tool.name == 'httpRequest'"),
    /^POLICY_REFUSED: step httpRequest/,
  ],
  ["a jump back over a guard", [hold("a", 1), { ...CALL, onError: "a" }], {}, /does not run after this one/],
  [
    "a denied step beside others",
    [{ ...CALL, onError: "continue" }, hold("a", 1), respond(1)],
    { ...deny("tool.name == 'httpRequest'"), order: [["a", "httpRequest"], "response"] },
    /^POLICY_REFUSED/,
  ],
  [
    "more calls by trying again",
    [request("https://api.example/busy", { method: "PUT" }, { retry: { attempts: 5, backoffMs: 0 } })],
    { policy: { maxCalls: 3 } },
    /^POLICY_REFUSED: .*allows 3 tool calls/,
  ],
  [
    "more calls by onError",
    [{ ...CALL, onError: "continue" }, { ...CALL, toolId: "b", onError: "continue" }, respond(1)],
    { policy: { maxCalls: 1 } },
    /^POLICY_REFUSED: step b/,
  ],
  [
    "more calls at once",
    ["a", "b", "c"].map((toolId) => ({ ...CALL, toolId })),
    { order: [["a", "b", "c"]], policy: { maxCalls: 2 } },
    /^POLICY_REFUSED: .*allows 2 tool calls/,
  ],
  [
    "a larger output",
    [request("https://api.example/large")],
    { policy: { maxOutputBytes: 1_000 } },
    /^RUN_FAILED: .*1000/,
  ],
  [
    "a larger answer",
    ["input", respond("{{input}}{{input}}")],
    { ...SMALL, input: "x".repeat(600) },
    /answer is larger/,
  ],
  [
    "a larger value by CEL",
    ["input", transform("[input, input]")],
    { ...SMALL, input: "x".repeat(600) },
    /larger than/,
  ],
  [
    "a longer run",
    [request("https://api.example/hang")],
    { ...SHORT, passesMs: 50 },
    /^RUN_TIMEOUT: .*longer than 50 ms/,
  ],
  [
    "a longer run by trying again",
    [request("https://api.example/busy", {}, { retry: { attempts: 5, backoffMs: 5_000 }, onError: "continue" })],
    { ...SHORT, passesMs: 60_000 },
    /^RUN_TIMEOUT: .*longer than 50 ms/,
  ],
]);

attempt([
  ["a rule of loops in loops", ["input", CALL], { ...deny(NESTED_LOOPS), input: MANY }, TOO_MUCH],
  ["a rule of a slow pattern", ["input", CALL], { ...deny(SLOW_PATTERN), input: "ab".repeat(40_000) }, TOO_MUCH],
  ["a rule that doubles a text", ["input", CALL], { ...deny(DOUBLING), input: MANY }, TOO_MUCH],
  ["201 expressions", ["input", ...fields(4, 50), { ...CALL, when: "true" }], {}, /at most 200 expressions.*201/],
  ["5,000 expressions", ["input", ...fields(99, 50)], {}, /at most 200 expressions/],
  ["five steps of code at once", FIVE, { order: [FIVE.map(({ toolId }) => toolId)] }, /at most 4 code steps/],
  ["101 steps", Array.from({ length: 101 }, (_, i) => hold(`s${i}`, 1)), {}, /at most 100 steps/],
  ["101 references in one text", ["input", respond("{{input}}".repeat(101))], {}, /at most 100 references/],
  ["a reference of 600 characters", ["input", respond(`{{input.${"a".repeat(600)}}}`)], {}, /at most 512 characters/],
  ["a text that doubles at every step", chain(40, (id) => `{{${id}}}{{${id}}}`), {}, /grows? beyond/],
  ["a list that doubles at every step", chain(40, (id) => [`{{${id}}}`, `{{${id}}}`]), {}, /grows beyond/],
  ["a value that nests at every step", chain(90, (id) => [[`{{${id}}}`]]), {}, /nests too deep/],
  ["50,000 references", ["input", respond(Array(50_000).fill("{{input}}"))], {}, /at most 500 references in one/],
  ["a list of 500 large values", ["input", respond(Array(500).fill("{{input}}"))], { input: MANY }, /grows? beyond/],
  ["a header that splits", ["input", respond(1, SET)], { input: "a\r\nset-cookie: a=b" }, /visible ASCII/],
  [
    "headers by reference",
    ["input", respond(1, { headers: "{{input}}" })],
    { input: { "Set-Cookie": "a=b" } },
    /not set/,
  ],
  [
    "a header's name that splits",
    ["input", respond(1, { headers: "{{input}}" })],
    { input: { "a\r\nb": "c" } },
    /name ho/,
  ],
  ["a header's name by reference", ["input", respond(1, { headers: { "{{input}}": "a" } })], {}, /name holds letters/],
  ["a status by reference", ["input", respond(1, { status: "{{input}}" })], { input: 101 }, /200 to 599/],
  ["a request's header that splits", ["input", SENT], { input: "a\r\nhost: evil.example" }, /visible ASCII/],
  ["a request to another host by a header", ["input", SENT_ALL], { input: { Host: "evil.example" } }, /does not set/],
  ["an e-mail to more people", ["input", MAIL], { input: "hi\r\nBcc: all@evil.example" }, /one line/],
]);

test("a form of a secret that somebody has to think of to undo is not found: that is what allowed hosts are for", async () => {
  const shown = async (made: string) => {
    const echo = request("https://api.example/rewritten", { headers: { "x-echo": "{{secrets.KEY}}" } });
    return outcomeOf([echo, respond({ made: `{{httpRequest.headers.${made}}}` })]);
  };
  expect(await shown("x-hex")).toBe('answered 200 {"made":"[masked]"}');
  expect(await shown("x-reversed")).toBe(`answered 200 ${JSON.stringify({ made: [...SECRET].reverse().join("") })}`);
});

describe("agents that call each other", () => {
  const GRAPHS = { executionOrder: ["input", "one", "two"] };
  const callTwice = (agentId: string) => ({
    ...GRAPHS,
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "one", name: "callAgent", config: { agentId } },
      { toolId: "two", name: "callAgent", config: { agentId } },
    ],
  });

  async function runBoth(attack: string, outer: Policy, inner: Policy) {
    const { runtime, settle } = createTestRuntime();
    const deploy = async (graph: Parameters<typeof agentBody>[0], serverId: string, policy: Policy) => {
      const made = await runtime.createAgent(callBy(SYSTEM), agentBody(graph, { serverId, policy }));
      if (!made.ok) throw new Error(JSON.stringify(made.error));
      return made.value.agent.agentId;
    };
    const steps = GRAPHS.executionOrder.map((toolId) => ({ toolId, name: "inputValidation", config: { schema: {} } }));
    const called = await deploy({ ...GRAPHS, tools: steps }, "mcp_inner", inner);
    const caller = await deploy(callTwice(called), "mcp_outer", outer);
    const run = await runtime.run(callBy(ANYBODY), caller, requestOf(null));
    await settle();
    if (!run.ok) throw new Error(run.error.detail);
    const { result } = run.value;
    const outcome = result.ok ? "answered" : `${result.error.code}: ${result.error.detail}`;
    table.push({
      attack,
      "how it was refused": outcome.slice(0, 110),
      ms: 0,
    });
    return outcome;
  }

  test("are one call each to their caller's policy, whatever they call themselves", async () => {
    expect(await runBoth("(two calls, as allowed)", { maxCalls: 2 }, {})).toBe("answered");
    expect(await runBoth("more calls of agents", { maxCalls: 1 }, {})).toMatch(
      /^POLICY_REFUSED: step two: .*allows 1 tool call/,
    );
  });

  test("step out of their caller's policy, as its documentation says", async () => {
    expect(await runBoth("(an agent under no policy)", { maxCalls: 2, allowedTools: ["input", "callAgent"] }, {})).toBe(
      "answered",
    );
  });

  test("obey their own policy, whoever calls them", async () => {
    expect(await runBoth("more calls by another agent", {}, { maxCalls: 2 })).toMatch(
      /^RUN_FAILED: step one: .*allows 2 tool calls/,
    );
    const rule = { name: "not for agents", when: "caller.kind == 'key' || tool.id == 'two'" };
    expect(await runBoth("a denied step by another agent", {}, { deny: [rule] })).toMatch(
      /^RUN_FAILED: step one: .*"not for agents" denies/,
    );
  });
});
