import { h } from "./dom.js";
import { bytes, ms } from "./format.js";

/** What a server's policy says, as it is: it is changed with the server's definition. */
export function policyFacts({ access, policy }) {
  const { allowedTools, allowedHosts, maxDurationMs, maxCalls, maxOutputBytes, rate = {}, deny = [] } = policy;
  const facts = [
    ["Access", access === "key" ? "callers need a key of its owner" : "anybody may call it"],
    allowedTools && ["Tools", names(allowedTools)],
    allowedHosts && ["Hosts", names(allowedHosts)],
    maxDurationMs && ["A run's time", `at most ${ms(maxDurationMs)}`],
    maxCalls && ["A run's tool calls", `at most ${maxCalls.toLocaleString("en")}`],
    maxOutputBytes && ["An output", `at most ${bytes(maxOutputBytes)}`],
    rate.perCaller && ["Runs of one caller", perMinute(rate.perCaller)],
    rate.perAgent && ["Runs of all callers", perMinute(rate.perAgent)],
  ].filter(Boolean);
  return [
    h(
      "dl",
      { class: "rules" },
      facts.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
      deny.map(({ name, when }) =>
        h("div", null, h("dt", null, "Denied: ", name), h("dd", null, "where ", h("code", null, when))),
      ),
    ),
    facts.length + deny.length > 1
      ? null
      : h("p", { class: "hint" }, "No rules of its own: what holds for every server holds."),
  ].filter(Boolean);
}

function names(list) {
  return list.length === 0
    ? "none"
    : h(
        "span",
        { class: "row chips" },
        list.map((name) => h("code", null, name)),
      );
}

const perMinute = ({ perMinute: count }) => `at most ${count.toLocaleString("en")} a minute`;
