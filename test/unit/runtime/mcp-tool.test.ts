import { expect, test } from "vitest";
import { toToolName } from "../../../src/runtime/mcp/mcp-tool.ts";

test.each([
  ["Signup API", "signup_api"],
  ["  --Wéb__Research!! API  ", "web_research_api"],
  ["already-fine_name", "already-fine_name"],
  ["日本語", "run"],
  ["🙂", "run"],
  ["İstanbul", "istanbul"],
  ["ﬁne", "fine"],
])("an agent named %j is the tool %s", (agentName, toolName) => {
  expect(toToolName(agentName)).toBe(toolName);
});

test("every name makes a tool's name that hosts take", () => {
  for (const name of ["a".repeat(200), `${"a".repeat(63)} b`, "_".repeat(200), "\u0000", "../../etc", "a\nb", "x__y"]) {
    const made = toToolName(name);
    expect(made).toMatch(/^[a-z0-9_-]{1,64}$/);
    expect(made).not.toContain("__");
  }
});
