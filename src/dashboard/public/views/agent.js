import { ignoreUnlessBug, path, request } from "../api.js";
import { badge, card, copyButton, empty, h, svg } from "../dom.js";
import { ago, bytes, ms } from "../format.js";
import { fillFrom, pagedList } from "../problem.js";

/** A deployed agent: its runs, and one run's trace where the address names it. */
export function agentView({ signal, settle }, agentId, runId) {
  const title = h("h1", null, "Agent");
  const crumb = h("p", { class: "crumb" }, h("a", { href: "/dashboard" }, "Servers"));
  const subtitle = h(
    "p",
    { class: "row" },
    h("code", null, agentId),
    copyButton("Copy id", () => agentId),
  );
  const runs = path("agents", agentId, "runs");
  const list = h("div", null);
  const refresh = () =>
    list.replaceChildren(
      pagedList({
        tag: "ol",
        props: { class: "list" },
        signal,
        fetchPage: (cursor) => request("GET", runs, { signal, query: { cursor } }),
        render: (run) => runRow(run, run.runId === runId),
        whenEmpty: empty("No runs yet", "Call the agent's endpoint, then look here."),
      }),
    );
  refresh();
  nameAgent().catch(ignoreUnlessBug);
  async function nameAgent() {
    const { name, metadata } = await request("GET", path("mcp", "agents", agentId), { signal });
    title.textContent = name;
    crumb.append(" / ", h("a", { href: `/dashboard${path("servers", metadata.serverId)}` }, name), " / Runs");
    settle();
  }
  const trace = h("div", null);
  if (runId) fillFrom(trace, signal, () => request("GET", `${runs}${path(runId)}`, { signal }), runTrace);
  else trace.append(empty("No run chosen", "Choose a run to see what each step did and how long it took."));
  return [
    crumb,
    h("div", { class: "page-head" }, title),
    subtitle,
    h(
      "div",
      { class: "columns agent" },
      card("Runs", { actions: h("button", { type: "button", class: "small", onclick: refresh }, "Refresh") }, list),
      card("Trace", { class: "card trace" }, trace),
    ),
  ];
}

const OUTCOMES = { ok: "ok", failed: "failed", timeout: "failed" };

function statusBadge({ outcome, status }) {
  return badge(status < 400 ? OUTCOMES[outcome] : status < 500 ? "refused" : "failed", String(status));
}

function runRow(run, isCurrent) {
  return h(
    "li",
    null,
    h(
      "a",
      {
        class: "run",
        href: `/dashboard${path("agents", run.agentId, "runs", run.runId)}`,
        "aria-current": isCurrent ? "true" : null,
      },
      statusBadge(run),
      h(
        "span",
        { class: "grow" },
        ago(run.startedAt),
        run.error ? h("span", { class: "muted clip" }, run.error) : null,
      ),
      h("span", { class: "muted number" }, ms(run.durationMs)),
    ),
  );
}

function runTrace(run) {
  const facts = [
    ["Run", h("code", null, run.runId)],
    ["Request", h("code", null, run.requestId)],
    ["Version", run.version],
    ["Started", ago(run.startedAt)],
  ];
  return [
    h(
      "p",
      { class: "row" },
      statusBadge(run),
      h("span", { class: "strong" }, ms(run.durationMs)),
      h("span", { class: "muted" }, run.outcome),
    ),
    run.error ? h("p", { class: "problem" }, run.error) : null,
    h("ol", { class: "waterfall" }, run.steps.map(waterfallRow(run))),
    h(
      "dl",
      { class: "meta facts-line" },
      facts.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
    ),
  ].filter(Boolean);
}

/** A step's bar begins and ends where it did within the run. */
function waterfallRow(run) {
  const startMs = Date.parse(run.startedAt);
  const lastEnd = Math.max(0, ...run.steps.map((s) => Date.parse(s.startedAt) - startMs + s.durationMs));
  const span = Math.max(run.durationMs, lastEnd, 1);
  return (step) => {
    const from = Math.min(Math.max(0, Date.parse(step.startedAt) - startMs), span);
    const percent = (value) => `${((value / span) * 100).toFixed(2)}%`;
    const width = step.durationMs > 0 ? percent(step.durationMs) : "2";
    return h(
      "li",
      { class: step.status },
      h("span", { class: "name" }, h("span", { class: "strong" }, step.toolId), h("code", null, step.name)),
      svg(
        "svg",
        { class: "bar", "aria-hidden": "true" },
        svg("rect", { class: "track", width: "100%", height: "100%", rx: 4 }),
        svg("rect", { x: percent(from), width, height: "100%", rx: 3 }),
      ),
      h("span", { class: "number" }, ms(step.durationMs)),
      h("span", { class: "muted number" }, bytes(step.outputBytes)),
      step.status === "ok" ? null : h("span", { class: "why" }, badge(step.status), " ", step.error),
    );
  };
}
