import { ApiError, path, request } from "./api.js";
import { card, empty, h, json } from "./dom.js";
import { clockTime } from "./format.js";
import { problemPanel, whileBusy } from "./problem.js";

/** Often enough to feel live, and a tenth of what a key may ask in a minute. */
const REFRESH_MS = 5_000;
const PAGE_EVENTS = 30;

/**
 * A server's execution log, newest first. Follows while it is live and the page is visible; `onNews` is called when
 * events came in. `refresh()` looks now, `note(text)` adds a line of this page's own.
 */
export function executionLog(serverId, signal, onNews) {
  const trouble = h("div", null);
  const live = h("button", { type: "button", class: "small live", "aria-pressed": "true", onclick: toggle }, "Live");
  const isLive = () => live.getAttribute("aria-pressed") === "true";
  const list = eventList((cursor) =>
    request("GET", path("mcp", "servers", serverId, "logs"), { signal, query: { cursor, limit: PAGE_EVENTS } }),
  );
  let timer;

  async function refresh() {
    clearTimeout(timer);
    let pauseMs = REFRESH_MS;
    try {
      if (await list.refresh()) onNews();
      trouble.replaceChildren();
    } catch (error) {
      if (signal.aborted) return;
      trouble.replaceChildren(problemPanel(error));
      if (error instanceof ApiError && error.retryAfterSeconds) pauseMs = error.retryAfterSeconds * 1_000;
    }
    clearTimeout(timer);
    if (isLive() && !signal.aborted) timer = setTimeout(refreshIfSeen, pauseMs);
  }
  function refreshIfSeen() {
    if (isLive() && document.visibilityState === "visible") refresh();
  }
  function toggle() {
    live.setAttribute("aria-pressed", String(!isLive()));
    live.textContent = isLive() ? "Live" : "Paused";
    refreshIfSeen();
  }
  document.addEventListener("visibilitychange", refreshIfSeen, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  refresh();
  return { element: card("Execution log", { actions: live }, trouble, list.element), refresh, note: list.note };
}

/** The events as rows. `refresh()` puts new ones on top and tells whether there were any since the first look. */
function eventList(fetchPage) {
  const rows = h("ol", { class: "log" });
  const foot = h("div", { class: "more" });
  const known = new Set();
  const notes = [];
  let isFirst = true;

  async function refresh() {
    const page = await fetchPage();
    const fresh = page.items.filter((event) => !known.has(event.id));
    const isNews = !isFirst && fresh.length > 0;
    if (fresh.length > 0 && fresh.length === page.items.length) {
      // The first look, or more came in than a page holds: begin here, the rest follows by "Load more".
      known.clear();
      rows.replaceChildren();
      foot.replaceChildren(...moreButton(page.nextCursor));
    }
    if (fresh.length > 0) for (const note of notes.splice(0)) note.remove();
    rows.prepend(...fresh.map(remembered));
    if (known.size === 0)
      foot.replaceChildren(empty("Nothing has happened yet", "Deploys and runs will show up here."));
    isFirst = false;
    return isNews;
  }
  function remembered(event) {
    known.add(event.id);
    return eventRow(event);
  }
  function moreButton(cursor) {
    if (cursor === null) return [];
    const slot = h("div", null);
    const load = async () => {
      const page = await fetchPage(cursor);
      rows.append(...page.items.filter((event) => !known.has(event.id)).map(remembered));
      foot.replaceChildren(...moreButton(page.nextCursor));
      foot.querySelector("button")?.focus();
    };
    const onclick = () => whileBusy(button, slot, load);
    const button = h("button", { type: "button", class: "small", onclick }, "Load more");
    return [button, slot];
  }
  function note(text) {
    const row = h("li", null, clockTime(new Date().toISOString()), h("span", null, text));
    notes.push(row);
    rows.prepend(row);
  }
  return { element: h("div", { class: "log-box", tabindex: 0 }, rows, foot), refresh, note };
}

function eventRow({ type, message, actor, requestId, data, timestamp }) {
  const { runId, agentId } = data;
  const trace = runId && agentId && `/dashboard${path("agents", agentId, "runs", runId)}`;
  return h(
    "li",
    { class: type.split("_").at(-1) },
    clockTime(timestamp),
    h(
      "details",
      null,
      h("summary", null, h("span", null, message), h("code", null, type)),
      trace ? h("a", { href: trace }, "See the run's trace") : null,
      json({ actor, requestId, ...data }),
    ),
  );
}
