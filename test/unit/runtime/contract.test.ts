import { describe, expect, test } from "vitest";
import { agentIdSchema, executionOrder } from "../../../src/runtime/contract.ts";

describe("an order that is none says what one is", () => {
  const faultsOf = (order: unknown) =>
    (executionOrder.safeParse(order).error?.issues ?? []).map(({ path, message }) => [path.join("."), message]);
  const what = expect.stringMatching(/^the id of a step, or a list of ids .*"response"\].* holds no other list/);

  test.each<[string, unknown, readonly (readonly [string, unknown])[]]>([
    ["a list in a list", ["input", ["a", ["b", "c"]], "response"], [["1", what]]],
    ["a number", ["input", 5], [["1", what]]],
    ["an object", [{ parallel: ["a", "b"] }], [["0", what]]],
    ["an id that is none", ["in put"], [["0", expect.stringContaining("1 to 64 letters")]]],
    ["an id that is none in a list", ["input", ["a", "b c"]], [["1.1", expect.stringContaining("1 to 64 letters")]]],
    ["what is right", ["input", ["a", "b"], "response"], []],
  ])("%s", (_what, order, faults) => {
    expect(faultsOf(order)).toEqual(faults);
  });
});

test("an id of something else than an agent says where an agent's comes from", () => {
  const message = "an agent's id, agent_ and 26 letters and digits, as its deploy answers it: no server's id";
  expect(agentIdSchema.safeParse("mcp_123").error?.issues).toMatchObject([{ message }]);
});
