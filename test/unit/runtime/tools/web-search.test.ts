import { expect, test } from "vitest";
import type { Call } from "../../../../src/core/actor.ts";
import type { AppError } from "../../../../src/core/errors.ts";
import { err, ok } from "../../../../src/core/result.ts";
import { webSearchTool } from "../../../../src/runtime/tools/web-search.ts";
import type { SearchAnswer, SearchRequest } from "../../../../src/search/contract.ts";
import { runTool, testContext, testServices } from "../../../support/runtime/step-context.ts";

const ANSWER: SearchAnswer = {
  query: "otters",
  results: [],
  answer: null,
  provider: "wikipedia",
  degraded: false,
  cache: { status: "miss", ageSeconds: 0 },
  attempts: [],
  requestId: "req_test",
  tookMs: 5,
};

test("it searches as the owner, within the step's time, and gives the whole answer", async () => {
  const asked: { readonly call: Call; readonly request: SearchRequest }[] = [];
  const services = testServices({
    search: async (call, request) => {
      asked.push({ call, request });
      return ok(ANSWER);
    },
  });
  const context = testContext({ services });
  expect(await runTool(webSearchTool, { query: " otters ", maxResults: 3 }, context)).toEqual({
    kind: "output",
    value: ANSWER,
  });
  expect(asked).toMatchObject([{ request: { query: "otters", maxResults: 3, topic: "general" } }]);
  expect(asked[0]?.call).toEqual({ ...context.asOwner, signal: expect.any(Function) });
  expect(asked[0]?.call.signal?.()).toBe(context.signal);
});

test.each<[AppError, boolean | undefined]>([
  [{ code: "SEARCH_UNAVAILABLE", detail: "no provider answered", attempts: [], retryAfterSeconds: 5 }, true],
  [{ code: "RATE_LIMITED", detail: "too many", violatedPolicies: [], retryAfterSeconds: 5 }, true],
  [{ code: "FORBIDDEN", detail: "not yours" }, undefined],
])("a search that fails fails the step: %j", async (error, isPassing) => {
  const context = testContext({ services: testServices({ search: async () => err(error) }) });
  expect(await runTool(webSearchTool, { query: "otters" }, context)).toEqual({
    kind: "fail",
    message: error.detail,
    ...(isPassing === undefined ? {} : { isPassing }),
  });
});

test.each(["", "   ", "q".repeat(401), "a\0b", { $ne: null }, ["a"]])("the query %.10j is refused", (query) => {
  expect(webSearchTool.bind({ query }).ok).toBe(false);
});
