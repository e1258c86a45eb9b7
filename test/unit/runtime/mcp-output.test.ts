import { Validator } from "@cfworker/json-schema";
import { expect, test } from "vitest";
import { toolSchema } from "../../../src/runtime/contract.ts";
import { failedAnswer, toToolAnswer } from "../../../src/runtime/mcp/mcp-tool.ts";
import { answerSchema, structuredBody } from "../../../src/runtime/mcp/output-schema.ts";

function graphOf(...tools: readonly object[]) {
  return { tools: tools.map((tool, at) => toolSchema.parse({ toolId: `step${at}`, ...tool })) };
}

const OBJECT = { name: "response", config: { body: { user: "{{step0}}", ok: true } } };

test("a graph with one answer that is an object says its properties, and requires none", () => {
  expect(answerSchema(graphOf({ name: "input" }, OBJECT))).toEqual({
    type: "object",
    properties: { user: {}, ok: {} },
  });
});

test.each<[string, readonly object[]]>([
  ["several steps answer", [OBJECT, { name: "response", config: { body: { other: 1 } } }]],
  ["the step that answers may be left out", [{ ...OBJECT, when: "input.a == 1" }]],
  ["another step answers where it fails", [{ ...OBJECT, onError: "step9" }]],
  ["the answer is a reference", [{ name: "response", config: { body: "{{step0}}" } }]],
  ["the answer is a list", [{ name: "response", config: { body: ["a"] } }]],
  ["the answer has no body", [{ name: "response" }]],
  ["no step answers", [{ name: "input" }]],
])("where %s nothing more than an object is promised", (_where, tools) => {
  expect(answerSchema(graphOf(...tools))).toEqual({ type: "object" });
});

test.each([
  [{ a: 1 }, { a: 1 }],
  ["text", { result: "text" }],
  [["a"], { result: ["a"] }],
  [0, { result: 0 }],
  [null, { result: null }],
  [undefined, { result: null }],
])("the body %j is structured as %j", (body, structured) => {
  expect(structuredBody(body)).toEqual(structured);
});

test("every way in which a run ends matches the schema that was listed", () => {
  const validator = new Validator(answerSchema(graphOf(OBJECT)), "2020-12");
  const detail = "no";
  const endings = [
    { ok: true, value: { status: 200, headers: {}, body: { user: { id: 1 }, ok: true } } },
    { ok: true, value: { status: 418, headers: {}, body: "teapot" } },
    { ok: true, value: { status: 204, headers: {} } },
    { ok: false, error: { code: "VALIDATION_FAILED", detail, errors: [{ path: "a", message: "must" }] } },
    { ok: false, error: { code: "POLICY_REFUSED", detail, rule: "max-calls", runId: "run_1", step: "step0" } },
    { ok: false, error: { code: "RUN_TIMEOUT", detail, runId: "run_1", step: "step0" } },
  ] as const;
  for (const result of endings) {
    expect(validator.validate(toToolAnswer({ runId: "run_1", result }).structured).valid).toBe(true);
  }
});

const BUSY = {
  code: "RATE_LIMITED",
  detail: "this agent's rate is used up",
  violatedPolicies: ["agent"],
  retryAfterSeconds: 42,
} as const;

test("a refusal for a while says when to come again, as the listed schema allows", () => {
  const { structured } = failedAnswer(BUSY, null);
  expect(structured).toEqual({ code: "RATE_LIMITED", detail: BUSY.detail, retryAfterSeconds: 42 });
  expect(new Validator(answerSchema(graphOf(OBJECT)), "2020-12").validate(structured).valid).toBe(true);
});

test("a refusal of the policy names its rule, its run and its step", () => {
  const error = {
    code: "POLICY_REFUSED",
    detail: "not allowed",
    rule: "no mail",
    runId: "run_1",
    step: "mail",
  } as const;
  expect(toToolAnswer({ runId: "run_1", result: { ok: false, error } })).toEqual({
    text: "not allowed",
    structured: error,
    isError: true,
    runId: "run_1",
  });
});
