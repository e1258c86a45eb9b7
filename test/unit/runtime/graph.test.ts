import { describe, expect, test } from "vitest";
import type { FieldError } from "../../../src/core/errors.ts";
import { type Graph, toolSchema } from "../../../src/runtime/contract.ts";
import { createExpressions } from "../../../src/runtime/expressions/cel.ts";
import { hasExpressions, planGraph, resolveInputSchema } from "../../../src/runtime/graph/graph.ts";
import { toolRegistry } from "../../../src/runtime/registry.ts";
import loginApi from "../../../src/servers/templates/login-api.json" with { type: "json" };
import signupApi from "../../../src/servers/templates/signup-api.json" with { type: "json" };
import webResearchApi from "../../../src/servers/templates/web-research-api.json" with { type: "json" };
import { fakeExpressions } from "./execution/fake-expressions.ts";
import { echo as echoTool, evaluating } from "./execution/scene.ts";

const evaluatingMore = { ...evaluating, expressions: ["expression", "fields"] };
const registry = new Map([...toolRegistry, ...[echoTool, evaluatingMore].map((tool) => [tool.name, tool] as const)]);
const PLANNING = { registry, expressions: fakeExpressions, policy: {} };

interface Step {
  readonly toolId: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

function graph(
  tools: readonly Step[],
  executionOrder: Graph["executionOrder"] = tools.map((tool) => tool.toolId),
): Graph {
  return { tools: tools.map((tool) => toolSchema.parse(tool)), executionOrder, inputSchema: { type: "object" } };
}

function faultsOf(given: Graph): readonly FieldError[] {
  const plan = planGraph(given, PLANNING);
  return plan.ok ? [] : plan.error;
}

const INPUT = { toolId: "input", name: "input" };
const RESPONSE = { toolId: "response", name: "response", config: { body: { got: "{{input}}" } } };

function find(config: object): Step {
  return { toolId: "find", name: "dbFind", config: { collection: "users", filter: {}, ...config } };
}

function update(changes: object): Step {
  return { toolId: "u", name: "dbUpdate", config: { collection: "users", filter: {}, update: changes } };
}

function insert(document: unknown): Step {
  return { toolId: "i", name: "dbInsert", config: { collection: "users", document } };
}

test("a sound graph is planned in the order of execution", () => {
  const plan = planGraph(graph([RESPONSE, INPUT], ["input", "response"]), PLANNING);
  expect(plan.ok && plan.value.stages.map((stage) => stage.map((step) => step.toolId))).toEqual([
    ["input"],
    ["response"],
  ]);
});

describe("a graph is refused at the place of the fault", () => {
  test.each<[string, Graph, string, string]>([
    ["an unknown tool", graph([INPUT, { toolId: "x", name: "teleport" }]), "tools.1.name", "no tool is named teleport"],
    ["an order without tool", graph([INPUT], ["input", "gone"]), "executionOrder.1", "no tool has the id gone"],
    ["a tool never ordered", graph([INPUT, RESPONSE], ["response"]), "tools.0.toolId", "never runs"],
    [
      "a repeated id",
      graph([INPUT, { ...INPUT, name: "inputValidation" }], ["input"]),
      "tools.1.toolId",
      "another tool",
    ],
    ["a repeated id in the order", graph([INPUT], ["input", "input"]), "executionOrder.1", "in the order already"],
    [
      "a config that its tool refuses",
      graph([find({ collection: "sys.users" })]),
      "tools.0.config.collection",
      "letters",
    ],
    ["a config with a setting too many", graph([find({ nope: 1 })]), "tools.0.config.nope", "no setting of dbFind"],
    ["a missing setting", graph([{ toolId: "a", name: "passwordVerify" }]), "tools.0.config.password", "needed"],
    ["a later step", graph([RESPONSE, INPUT], ["response", "input"]), "tools.0.config.body.got", "does not run before"],
    ["itself", graph([{ ...RESPONSE, toolId: "input" }]), "tools.0.config.body.got", "does not run before"],
    ["an unknown step", graph([RESPONSE]), "tools.0.config.body.got", "there is no step input"],
    ["a step after the response", graph([INPUT, RESPONSE, find({})]), "executionOrder.2", "ends the run before"],
    ["two inputs", graph([INPUT, { ...INPUT, toolId: "again" }]), "tools.1.name", "one input tool"],
    ["a reserved id", graph([{ toolId: "request", name: "input" }]), "tools.0.toolId", "references know already"],
    [
      "an operator outside the subset",
      graph([find({ filter: { a: { $where: "1" } } })]),
      "tools.0.config.filter.a.$where",
      "",
    ],
    ["secrets", graph([find({ filter: { a: "{{secrets.KEY}}" } })]), "tools.0.config.filter.a", "not available"],
    [
      "a bad JSON Schema",
      graph([{ ...INPUT, inputSchema: { type: "strin" } }]),
      "tools.0.inputSchema.type",
      "is one or a list",
    ],
    [
      "a bad schema of a step",
      graph([INPUT, { toolId: "v", name: "inputValidation", config: { schema: { properties: { a: 5 } } } }]),
      "tools.1.config.schema.properties.a",
      "a schema is",
    ],
    [
      "a signing secret that is too short",
      graph([{ toolId: "j", name: "jwtGenerate", config: { claims: {}, secret: "s" } }]),
      "tools.0.config.secret",
      "at least 32 bytes",
    ],
    [
      "a token that never ends",
      graph([{ toolId: "j", name: "jwtGenerate", config: { claims: {}, expiresIn: "31d" } }]),
      "tools.0.config.expiresIn",
      "30d",
    ],
    [
      "a hashed unique field",
      graph([{ toolId: "i", name: "dbInsert", config: { collection: "u", document: {}, unique: ["p"], hash: ["p"] } }]),
      "tools.0.config.unique.0",
      "salt",
    ],
    [
      "a field that no store takes",
      graph([{ toolId: "i", name: "dbInsert", config: { collection: "u", document: { a: { $set: 1 } } } }]),
      "tools.0.config.document.a.$set",
      "$",
    ],
    [
      "a status that is none",
      graph([{ toolId: "r", name: "response", config: { status: 199 } }]),
      "tools.0.config.status",
      "200 to 599",
    ],
    [
      "a header that is not a graph's",
      graph([{ toolId: "r", name: "response", config: { headers: { "Set-Cookie": "a=b" } } }]),
      "tools.0.config.headers.Set-Cookie",
      "",
    ],
    [
      "a header that splits",
      graph([{ toolId: "r", name: "response", config: { headers: { "X-A": "b\r\nX-C: d" } } }]),
      "tools.0.config.headers.X-A",
      "visible ASCII",
    ],
  ])("%s", (_what, given, path, message) => {
    expect(faultsOf(given)).toContainEqual({ path, message: expect.stringContaining(message) });
  });
});

test("all faults come at once", () => {
  const given = graph(
    [
      { toolId: "a", name: "nope", config: { x: "{{gone.y}}" } },
      { toolId: "a", name: "dbFind", config: { filter: 5 } },
      { toolId: "b", name: "response", config: { status: "{{a.status}}", body: "{{" } },
    ],
    ["a", "b", "c"],
  );
  expect(faultsOf(given).map((fault) => fault.path)).toEqual([
    "tools.1.toolId",
    "executionOrder.2",
    "tools.0.name",
    "tools.0.config.x",
    "tools.1.config.collection",
    "tools.1.config.filter",
    "tools.2.config.body",
  ]);
});

test("a value that a reference brings in is not judged before it is known", () => {
  const status = {
    toolId: "response",
    name: "response",
    config: { status: "{{input.status}}", headers: { A: "{{input.a}}" } },
  };
  const limit = find({ collection: "{{input.collection}}", limit: "{{input.limit}}" });
  expect(faultsOf(graph([INPUT, limit, status]))).toEqual([]);
});

describe("a reference in the place of a filter is refused", () => {
  test.each<[unknown, string]>([
    ["{{input}}", "filter"],
    ["x {{input}}", "filter"],
    [{ $and: "{{input}}" }, "filter.$and"],
    [{ $or: [{ a: 1 }, "{{input}}"] }, "filter.$or.1"],
    [{ $and: [{ $or: "{{input.x}}" }] }, "filter.$and.0.$or"],
  ])("%j", (filter, path) => {
    expect(faultsOf(graph([INPUT, find({ filter })]))).toEqual([
      { path: `tools.1.config.${path}`, message: expect.stringContaining("never conditions") },
    ]);
  });
});

test("an input schema is the graph's own, the input tool's, or any object", () => {
  const own = { type: "array" };
  const ofTool = { type: "string" };
  const tools = [toolSchema.parse({ ...INPUT, inputSchema: ofTool })];
  expect(resolveInputSchema({ tools, inputSchema: own })).toEqual(own);
  expect(resolveInputSchema({ tools })).toEqual(ofTool);
  expect(resolveInputSchema({ tools: [toolSchema.parse(RESPONSE)] })).toEqual({ type: "object" });
});

test("a graph's own schema is checked too", () => {
  expect(faultsOf({ ...graph([INPUT]), inputSchema: { required: "email" } })).toEqual([
    { path: "inputSchema.required", message: "is a list of names" },
  ]);
});

test.each([loginApi, signupApi, webResearchApi])("the template $name is a sound graph", (template) => {
  const { tools, executionOrder } = graph(template.tools, template.executionOrder);
  expect(faultsOf({ tools, executionOrder, inputSchema: resolveInputSchema({ tools }) })).toEqual([]);
});

function echo(toolId: string, config: object = {}, more: object = {}): Step {
  return { toolId, name: "echo", config, ...more };
}

describe("groups, conditions and jumps are refused at the place of the fault", () => {
  const early = { ...RESPONSE, toolId: "early", when: "input.no" };
  test.each<[string, readonly Step[], Graph["executionOrder"], string, string]>([
    ["an unknown step in a group", [echo("a")], [["a", "gone"]], "executionOrder.0.1", "no tool has the id gone"],
    ["a step twice", [echo("a"), echo("b")], ["a", ["b", "a"]], "executionOrder.1.1", "in the order already"],
    [
      "a reference inside a group",
      [INPUT, echo("a"), echo("b", { x: "{{a}}" })],
      ["input", ["a", "b"]],
      "tools.2.config.x",
      "{{a}}: the step a runs at the same time",
    ],
    [
      "a condition that reads its group",
      [INPUT, echo("a"), echo("b", {}, { when: "a.x" })],
      ["input", ["a", "b"]],
      "tools.2.when",
      "a: the step a runs at the same time",
    ],
    [
      "a response in a group",
      [INPUT, echo("a"), RESPONSE],
      ["input", ["a", "response"]],
      "executionOrder.1.1",
      "does not run at once",
    ],
    [
      "a group after the response",
      [INPUT, RESPONSE, echo("a")],
      ["input", "response", ["a"]],
      "executionOrder.2.0",
      "ends the run before",
    ],
    ["a condition that does not compile", [echo("a", {}, { when: "f(" })], ["a"], "tools.0.when", "unexpected ("],
    ["a condition with braces", [INPUT, echo("a", {}, { when: "{{input}}" })], ["input", "a"], "tools.1.when", "names"],
    ["a condition over itself", [echo("a", {}, { when: "a" })], ["a"], "tools.0.when", "does not run before"],
    ["a condition over nothing", [echo("a", {}, { when: "gone.x" })], ["a"], "tools.0.when", "there is no step gone"],
    ["a condition over secrets", [echo("a", {}, { when: "secrets.A" })], ["a"], "tools.0.when", "not available"],
    ["an onError that is none", [echo("a", {}, { onError: "retry" })], ["a"], "tools.0.onError", "no step retry"],
    ["an onError to itself", [echo("a", {}, { onError: "a" })], ["a"], "tools.0.onError", "does not run after"],
    ["an onError backwards", [echo("a"), echo("b", {}, { onError: "a" })], ["a", "b"], "tools.1.onError", "after"],
    [
      "an onError into a group",
      [echo("a", {}, { onError: "c" }), echo("b"), echo("c")],
      ["a", ["b", "c"]],
      "tools.0.onError",
      "runs at once with others",
    ],
    ["an onError within the group", [echo("a", {}, { onError: "b" }), echo("b")], [["a", "b"]], "tools.0.onError", ""],
    ["an id that reaches a prototype", [echo("__proto__")], ["__proto__"], "tools.0.toolId", "never the id"],
    [
      "a step after a response that always answers",
      [INPUT, early, RESPONSE, echo("a")],
      ["input", "early", "response", "a"],
      "executionOrder.3",
      "ends the run before",
    ],
  ])("%s", (_what, tools, order, path, message) => {
    expect(faultsOf(graph(tools, order))).toEqual([{ path, message: expect.stringContaining(message) }]);
  });
});

describe("what comes after a response runs where a failure leads there", () => {
  const sorry = { ...RESPONSE, toolId: "sorry" };
  const risky = (onError: string) => echo("risky", {}, { onError });

  test.each<[string, readonly Step[]]>([
    ["of a step before it", [INPUT, risky("sorry"), RESPONSE, sorry]],
    ["of the response itself", [INPUT, { ...RESPONSE, onError: "sorry" }, sorry]],
    ["of a response that may fail", [INPUT, { ...RESPONSE, onError: "continue" }, sorry]],
    ["to steps that run on from there", [INPUT, risky("a"), RESPONSE, echo("a"), sorry]],
    ["from one handler to the next", [INPUT, risky("a"), RESPONSE, { ...sorry, toolId: "a", onError: "b" }, echo("b")]],
  ])("%s", (_what, tools) => {
    expect(faultsOf(graph(tools))).toEqual([]);
  });

  test.each<[string, readonly Step[], string]>([
    ["a handler of nobody", [INPUT, risky("fail"), RESPONSE, sorry], "executionOrder.3"],
    [
      "a step between the response and its handler",
      [risky("sorry"), INPUT, RESPONSE, echo("a"), sorry],
      "executionOrder.3",
    ],
    ["a step after the handler's response", [INPUT, risky("sorry"), RESPONSE, sorry, echo("a")], "executionOrder.4"],
    [
      "a handler of a step that never runs itself",
      [INPUT, RESPONSE, echo("b", {}, { onError: "sorry" }), sorry],
      "executionOrder.2 executionOrder.3",
    ],
    [
      "a step that is called like a word of onError",
      [INPUT, risky("continue"), RESPONSE, echo("continue")],
      "executionOrder.3",
    ],
  ])("but not %s", (_what, tools, path) => {
    const faults = faultsOf(graph(tools)).filter((fault) => fault.message.includes("never runs"));
    expect(faults.map((fault) => fault.path).join(" ")).toBe(path);
  });

  test("and the fault names the response that is in the way", () => {
    expect(faultsOf(graph([INPUT, risky("sorry"), RESPONSE, sorry, echo("a")]))).toEqual([
      {
        path: "executionOrder.4",
        message: "a never runs: the response step sorry ends the run before, and no onError leads here",
      },
    ]);
  });
});

describe("an expression that cannot name a step says how it is named", () => {
  const fault = (id: string, expression: string, policy = {}) => {
    const tools = [INPUT, echo(id), { toolId: "t", name: "evaluating", config: { expression } }];
    const plan = planGraph(graph(tools), { ...PLANNING, expressions: createExpressions(), policy });
    return plan.ok ? [] : plan.error.map(({ message }) => message);
  };

  test.each<[string, string, string]>([
    ["my-step", "my-step + 1", 'my-step is a subtraction here: the step is steps["my-step"]'],
    ["my-step", "size(my-step.items) > 0", 'my-step is a subtraction here: the step is steps["my-step"]'],
    ["input-2", "input-2 == 1 || input-x", "x: there is no step x"],
    ["a-in", "a-in", 'Unexpected token: in, at 1:3; the step a-in is steps["a-in"] here'],
    ["if", "if.total > 1", 'Reserved identifier: if, at 1:1; the step if is steps["if"] here'],
    ["in", "in.total > 1", 'Unexpected token: in, at 1:1; the step in is steps["in"] here'],
    ["in", "1 + in", 'Unexpected token: in, at 1:5; the step in is steps["in"] here'],
    ["null", "null.total", 'null has no fields, at 1:1; the step null is steps["null"] here'],
    ["true", "true", 'true is a value here: the step is steps["true"]; give it another id'],
  ])("%s in %s", (id, expression, message) => {
    expect(fault(id, expression)).toEqual([message]);
  });

  test.each([
    ["my-step", 'steps["my-step"].total + 1'],
    ["my-step", "'my-step' + 'x'"],
    ["if", "steps.if.total"],
    ["if", "input.if"],
    ["null", "input.a == 'null'"],
    ["true", "input.a || false"],
  ])("%s is sound in %s", (id, expression) => {
    expect(fault(id, expression)).toEqual([]);
  });

  test("in conditions and rules as well", () => {
    const deny = [{ name: "a", when: "my-step.total > 1" }];
    const tools = [INPUT, echo("my-step"), echo("a", {}, { when: "my-step.ok" })];
    const planned = planGraph(graph(tools), { ...PLANNING, expressions: createExpressions(), policy: { deny } });
    const message = 'my-step is a subtraction here: the step is steps["my-step"]';
    expect(planned).toEqual({
      ok: false,
      error: [
        { path: "tools.2.when", message },
        { path: "policy.deny.0.when", message },
      ],
    });
  });
});

describe("what every run knows is known when a graph is written", () => {
  test.each([
    [
      "{{request.body}}",
      "request has no body: it has method, headers, query; its body is the output of the input step",
    ],
    ["{{request.body.email?}}", "request has no body"],
    ["{{request[0]}}", "request has no 0"],
    ["is {{run.foo}}", "run has no foo: it has id, error"],
    ["{{agent.name}}", "agent has no name: it has id"],
    ["{{owner.x?}}", "owner has no x: it has id"],
  ])("%s", (text, message) => {
    expect(faultsOf(graph([echo("a", { x: [text] })]))).toEqual([
      { path: "tools.0.config.x.0", message: expect.stringContaining(message) },
    ]);
  });

  test("and what there is may be read, also as a whole", () => {
    const known = [
      "request",
      "request.method",
      "request.headers.any",
      "request.query.any",
      "run",
      "run.id",
      "run.error.any",
    ];
    const texts = [...known, "agent.id", "owner.id", "owner"].map((path) => `{{${path}}}`);
    expect(faultsOf(graph([echo("a", { texts })]))).toEqual([]);
  });
});

test("a graph has at most 100 steps, those of groups counted one by one", () => {
  const ids = Array.from({ length: 101 }, (_, i) => `s${i}`);
  const tools = ids.map((id) => echo(id));
  const message = "a graph has at most 100 steps";
  expect(faultsOf(graph(tools, [ids.slice(0, 60), ids.slice(60)]))).toEqual([{ path: "executionOrder", message }]);
  expect(faultsOf(graph(tools.slice(1), [ids.slice(1, 60), ids.slice(60)]))).toEqual([]);
});

test("groups, early responses, jumps and a group of one are sound", () => {
  const tools = [
    INPUT,
    echo("a", { x: "{{input.x?}}" }, { onError: "rescue" }),
    echo("b", {}, { when: "input.b == true" }),
    { ...RESPONSE, toolId: "early", when: "b != null" },
    echo("rescue", { why: "{{run.error.message?}}" }),
    RESPONSE,
  ];
  const plan = planGraph(graph(tools, [["input"], ["a", "b"], "early", "rescue", "response"]), PLANNING);
  expect(plan.ok && plan.value.stages.map((stage) => stage.length)).toEqual([1, 2, 1, 1, 1]);
});

describe("expressions of a config", () => {
  const evaluating = (config: object) => graph([INPUT, { toolId: "t", name: "evaluating", config }]);

  test("are compiled with their paths, also from an object", () => {
    const plan = planGraph(evaluating({ expression: "input.a", fields: { "a.b": "1", c: "run.id" } }), PLANNING);
    const step = plan.ok ? plan.value.stages[1]?.[0] : undefined;
    expect([...(step?.expressions.keys() ?? [])]).toEqual(["expression", "fields.a.b", "fields.c"]);
  });

  test("are checked like references, each at its place", () => {
    const config = { expression: "gone.x", fields: { a: "f(", b: "{{input}}", c: "secrets.A", d: "t.x", e: 5 } };
    expect(faultsOf(evaluating(config)).map(({ path }) => path)).toEqual(
      ["expression", "fields.a", "fields.b", "fields.c", "fields.d"].map((path) => `tools.1.config.${path}`),
    );
  });

  test("have a length", () => {
    const expression = `input.${"x".repeat(2_000)}`;
    expect(faultsOf(evaluating({ expression }))).toEqual([
      { path: "tools.1.config.expression", message: expect.stringContaining("at most 2000 characters") },
    ]);
  });
});

describe("references to secrets", () => {
  test("are sound in any string of a config, and listed once", () => {
    const config = { url: "https://x/?k={{secrets.KEY}}", headers: ["{{secrets.KEY}}", "{{secrets._b?}}"] };
    const plan = planGraph(graph([echo("a", config), echo("b", { k: "{{secrets.KEY}}" })]), PLANNING);
    expect(plan.ok && plan.value.secretNames).toEqual(["KEY", "_b"]);
  });

  test.each<[string, Step, string]>([
    ["no name", echo("a", { k: "{{secrets}}" }), "config.k"],
    ["a path below", echo("a", { k: "{{secrets.KEY.inner}}" }), "config.k"],
    ["an index", echo("a", { k: "{{secrets[0]}}" }), "config.k"],
    ["a name that is none", echo("a", { k: "{{secrets.my-key}}" }), "config.k"],
    ["a name that is too long", echo("a", { k: `{{secrets.${"k".repeat(65)}}}` }), "config.k"],
    ["an answer", { ...RESPONSE, config: { body: { k: "{{secrets.KEY}}" } } }, "config.body.k"],
    ["a filter", find({ filter: { $or: [{ k: "{{secrets.KEY}}" }] } }), "config.filter.$or.0.k"],
    ["an update", update({ $push: { keys: { key: "k {{secrets.KEY}}" } } }), "config.update.$push.keys.key"],
    ["a document", insert({ keys: ["{{secrets.KEY}}"] }), "config.document.keys.0"],
    ["a document as a whole", insert("{{secrets.KEY}}"), "config.document"],
    [
      "a token's claims",
      { toolId: "j", name: "jwtGenerate", config: { claims: { k: "{{secrets.KEY}}" } } },
      "config.claims.k",
    ],
    [
      "what another agent is sent",
      { toolId: "c", name: "callAgent", config: { agentId: `agent_${"0".repeat(26)}`, input: "{{secrets.KEY}}" } },
      "config.input",
    ],
    [
      "a step that gives it on",
      { toolId: "v", name: "inputValidation", config: { data: "{{secrets.KEY}}" } },
      "config.data",
    ],
    ["a search", { toolId: "s", name: "webSearch", config: { query: "is {{secrets.KEY}} known?" } }, "config.query"],
  ])("%s is refused", (_what, step, path) => {
    expect(faultsOf(graph([step]))).toEqual([
      { path: `tools.0.${path}`, message: expect.stringContaining("{{secrets") },
    ]);
  });
});

test("of literals braces are text, whatever they look like", () => {
  const source = 'export default () => {{ return { s: "{{secrets.KEY}} {{gone.x}} \\\\{{ }" }; }}';
  const schema = { type: "object", properties: { "{{a": { const: "{{input.x" } } };
  const tools = [
    INPUT,
    { toolId: "code", name: "code", config: { source } },
    { toolId: "check", name: "inputValidation", config: { schema, data: "{{code.n}}" } },
  ];
  const plan = planGraph(graph(tools), PLANNING);
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  const [, code, check] = plan.value.stages.flat();
  expect(plan.value.secretNames).toEqual([]);
  expect(code?.resolve(new Map(), new Map())).toMatchObject({ ok: true, value: { value: { source } } });
  const scope = new Map([["code", { n: 1 }]]);
  expect(check?.resolve(scope, new Map())).toMatchObject({ ok: true, value: { value: { schema, data: 1 } } });
});

test("four steps of code run at once, in one group or in several, and no fifth", () => {
  const source = "export default () => 1;";
  const code = (toolId: string): Step => ({ toolId, name: "code", config: { source } });
  const ids = ["a", "b", "c", "d", "e", "f"];
  const tools = [...ids.map(code), echo("x"), echo("y")];
  expect(
    faultsOf(
      graph(tools, [
        ["a", "b", "c", "d", "x", "y"],
        ["e", "f"],
      ]),
    ),
  ).toEqual([]);
  expect(faultsOf(graph(tools, ["x", ["a", "b", "y", "c", "d", "e"], "f"]))).toEqual([
    { path: "executionOrder.1", message: "at most 4 code steps run at once: here are 5" },
  ]);
});

describe("a graph holds 200 expressions", () => {
  const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, "1"]));
  const deny = Array.from({ length: 50 }, (_, i) => ({ name: `rule ${i}`, when: "false" }));
  const compiled: string[] = [];
  const expressions = {
    compile(text: string) {
      compiled.push(text);
      return fakeExpressions.compile(text);
    },
  };
  const plan = (count: number) => {
    compiled.length = 0;
    const steps = [
      { ...INPUT, when: "true" },
      { toolId: "t", name: "evaluating", config: { fields: fields(count) } },
    ];
    return planGraph(graph(steps), { ...PLANNING, expressions, policy: { deny } });
  };

  test("conditions and rules counted", () => {
    expect(plan(149).ok).toBe(true);
    expect(compiled).toHaveLength(200);
  });

  test("and of one more none is compiled", () => {
    const message = "a graph and its policy's rules hold at most 200 expressions, conditions counted: here are 201";
    expect(plan(150)).toEqual({ ok: false, error: [{ path: "tools", message }] });
    expect(compiled).toEqual([]);
  });
});

test("expressions are needed where a condition, a tool or a rule has one", () => {
  const needs = (given: Graph, policy = {}) => hasExpressions(given, { registry: PLANNING.registry, policy });
  expect(needs(graph([INPUT, RESPONSE]))).toBe(false);
  expect(needs(graph([{ ...INPUT, when: "true" }]))).toBe(true);
  expect(needs(graph([{ toolId: "t", name: "evaluating" }]))).toBe(false);
  expect(needs(graph([{ toolId: "t", name: "evaluating", config: { fields: { a: "1" } } }]))).toBe(true);
  expect(needs(graph([INPUT]), { deny: [{ name: "a", when: "true" }] })).toBe(true);
});
