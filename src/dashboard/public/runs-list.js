import { path, request } from "./api.js";
import { badge, card, empty, h } from "./dom.js";
import { clockTime, ms } from "./format.js";
import { liveFeed } from "./live-feed.js";
import { whileBusy } from "./problem.js";
import { statusBadge, triggerText } from "./trace.js";

/**
 * An agent's runs, newest first, followed live. `onRun` is called with each run as it comes or comes further;
 * `choose(runId)` marks one; `onChoose` is called when a person chooses one.
 */
export function runsList(agentId, signal, { onRun, onChoose }) {
  const runs = path("agents", agentId, "runs");
  const fetchPage = (cursor) => request("GET", runs, { signal, query: { cursor } });
  const list = h("ol", { class: "list" });
  const foot = h("div", { class: "more" });
  const rows = new Map();
  let current = null;

  /** A run that is known comes further; a new one takes its place among the others: ids sort by start. */
  function take(run) {
    const known = rows.get(run.runId);
    if (known) fillRow(known, run);
    else {
      if (rows.size === 0) foot.replaceChildren();
      const row = makeRow(run);
      const older = [...list.children].find(({ dataset }) => dataset.run < run.runId);
      list.insertBefore(row.element, older ?? null);
    }
    onRun(run);
  }
  function makeRow(run) {
    const link = h("a", { class: "run", href: `/dashboard${path("agents", agentId, "runs", run.runId)}` });
    link.addEventListener("click", (event) => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      onChoose(run.runId);
    });
    const row = { link, element: h("li", { "data-run": run.runId }, link) };
    rows.set(run.runId, row);
    fillRow(row, run);
    mark(row, run.runId);
    return row;
  }
  function mark({ link }, runId) {
    if (runId === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  function choose(runId) {
    current = runId;
    for (const [id, row] of rows) mark(row, id);
  }
  /** What is older comes page by page; the stream brings what is new. */
  async function load(cursor) {
    const page = await fetchPage(cursor);
    for (const run of page.items) if (!rows.has(run.runId)) list.append(makeRow(run).element);
    showFoot(page.nextCursor);
  }
  function showFoot(cursor) {
    if (rows.size === 0)
      foot.replaceChildren(empty("No runs yet", "Call the agent's endpoint: its runs show up here."));
    else foot.replaceChildren(...(cursor === null ? [] : moreButton(cursor)));
  }
  function moreButton(cursor) {
    const slot = h("div", null);
    const more = async () => {
      const last = list.lastElementChild;
      await load(cursor);
      last?.nextElementSibling?.querySelector("a")?.focus();
    };
    const onclick = () => whileBusy(button, slot, more);
    const button = h("button", { type: "button", class: "small", onclick }, "Load more");
    return [button, slot];
  }
  /** The stream begins with the newest runs again, so nothing is lost between the two. */
  async function begin() {
    await load();
    return "";
  }
  const feed = liveFeed(runs, { signal, begin, onEvent: take });
  return { element: card("Runs", { actions: feed.button }, feed.notices, list, foot), choose };
}

function fillRow({ link }, run) {
  const { status, outcome, startedAt, durationMs, error } = run;
  const says = status !== null && outcome !== "ok" && outcome !== "failed" ? outcome : null;
  link.replaceChildren(
    statusBadge(run),
    h(
      "span",
      { class: "grow" },
      clockTime(startedAt),
      h("span", { class: "muted" }, ` · ${triggerText(run)}`),
      says ? [" ", badge(says)] : "",
      error ? h("span", { class: "muted clip", title: error }, error) : "",
    ),
    h("span", { class: "muted number" }, outcome === "running" ? "" : ms(durationMs)),
  );
}
