import { ignoreUnlessBug, path, request } from "../api.js";
import { announce, card, copyButton, empty, h } from "../dom.js";
import { fillFrom } from "../problem.js";
import { runsList } from "../runs-list.js";
import { runTrace } from "../trace.js";

/** A deployed agent: its runs as they come, and one run's trace where the address names it. */
export function agentView({ signal, settle }, agentId, firstRunId) {
  const title = h("h1", null, "Agent");
  const crumb = h("p", { class: "crumb" }, h("a", { href: "/dashboard" }, "Servers"));
  const subtitle = h(
    "p",
    { class: "row" },
    h("code", null, agentId),
    copyButton("Copy id", () => agentId),
  );
  const trace = tracePanel(agentId, signal);
  const runs = runsList(agentId, signal, {
    onRun: trace.update,
    onChoose(runId) {
      history.pushState(null, "", `/dashboard${path("agents", agentId, "runs", runId)}`);
      choose(runId);
      trace.element.scrollIntoView({ block: "nearest" });
    },
  });
  function choose(runId) {
    runs.choose(runId);
    trace.show(runId);
  }
  if (firstRunId) choose(firstRunId);
  nameAgent().catch(ignoreUnlessBug);
  async function nameAgent() {
    const { name, metadata } = await request("GET", path("mcp", "agents", agentId), { signal });
    title.textContent = name;
    crumb.append(" / ", h("a", { href: `/dashboard${path("servers", metadata.serverId)}` }, name), " / Runs");
    settle();
  }
  return [
    crumb,
    h("div", { class: "page-head" }, title),
    subtitle,
    h("div", { class: "columns agent" }, runs.element, trace.element),
  ];
}

/** One run's trace. It is drawn again when the run comes further while it is looked at. */
function tracePanel(agentId, signal) {
  const box = h("div", null, empty("No run chosen", "Choose a run to see what each step did and how long it took."));
  let wanted = null;
  let drawn = "";
  const draw = (run) => {
    drawn = JSON.stringify(run);
    return runTrace(run, box);
  };
  async function show(runId) {
    const isFirst = wanted === null;
    wanted = runId;
    // What an earlier choice still loads goes into a slot that is no longer shown.
    const slot = h("div", null);
    box.replaceChildren(slot);
    const read = () => request("GET", path("agents", agentId, "runs", runId), { signal });
    await fillFrom(slot, signal, read, draw);
    if (!isFirst && wanted === runId && !signal.aborted) announce("The run's trace is shown");
  }
  function update(run) {
    if (run.runId !== wanted || JSON.stringify(run) === drawn) return;
    box.replaceChildren(...draw(run));
    if (run.outcome !== "running") announce(`The run has ended: ${run.outcome}`);
  }
  return { element: card("Trace", { class: "card trace" }, box), show, update };
}
