import { describe, expect, test } from "vitest";
import type { FieldError } from "../../../src/core/errors.ts";
import { type Graph, toolSchema } from "../../../src/runtime/contract.ts";
import { planGraph, resolveInputSchema } from "../../../src/runtime/graph/graph.ts";
import { toolRegistry } from "../../../src/runtime/registry.ts";
import loginApi from "../../../src/servers/templates/login-api.json" with { type: "json" };
import signupApi from "../../../src/servers/templates/signup-api.json" with { type: "json" };
import webResearchApi from "../../../src/servers/templates/web-research-api.json" with { type: "json" };

interface Step {
  readonly toolId: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

function graph(tools: readonly Step[], executionOrder = tools.map((tool) => tool.toolId)): Graph {
  return { tools: tools.map((tool) => toolSchema.parse(tool)), executionOrder, inputSchema: { type: "object" } };
}

function faultsOf(given: Graph): readonly FieldError[] {
  const plan = planGraph(given, toolRegistry);
  return plan.ok ? [] : plan.error;
}

const INPUT = { toolId: "input", name: "input" };
const RESPONSE = { toolId: "response", name: "response", config: { body: { got: "{{input}}" } } };

function find(config: object): Step {
  return { toolId: "find", name: "dbFind", config: { collection: "users", filter: {}, ...config } };
}

test("a sound graph is planned in the order of execution", () => {
  const plan = planGraph(graph([RESPONSE, INPUT], ["input", "response"]), toolRegistry);
  expect(plan.ok && plan.value.steps.map((step) => step.toolId)).toEqual(["input", "response"]);
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
    ["a missing setting", graph([{ toolId: "a", name: "passwordVerify" }]), "tools.0.config.password", "string"],
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
      "a reference in a schema",
      graph([INPUT, { toolId: "v", name: "inputValidation", config: { schema: { const: "{{input.x}}" } } }]),
      "tools.1.config.schema.const",
      "no references here",
    ],
    [
      "a bad schema of a step",
      graph([INPUT, { toolId: "v", name: "inputValidation", config: { schema: { properties: { a: 5 } } } }]),
      "tools.1.config.schema.properties.a",
      "a schema is",
    ],
    [
      "a signing secret",
      graph([{ toolId: "j", name: "jwtGenerate", config: { claims: {}, secret: "s" } }]),
      "tools.0.config.secret",
      "no setting",
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
