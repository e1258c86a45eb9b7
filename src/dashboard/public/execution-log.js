import { path, request } from "./api.js";
import { card, empty, h, json } from "./dom.js";
import { clockTime, plural } from "./format.js";
import { liveFeed } from "./live-feed.js";
import { whileBusy } from "./problem.js";

const FIRST_EVENTS = 30;
/** As many as a page of the API holds. */
const MORE_EVENTS = 100;
/** What a busy log may fill the page with, besides what a person loads. */
const KEPT_ROWS = 200;
/** A busy log is told of, and looked into, no more often than this: each time costs two reads. */
const NEWS_MS = 5_000;

/**
 * A server's execution log, newest first, followed live. `onNews` is called when events have come in; `note(text)` adds
 * a line of this page's own, which stands until the next event.
 */
export function executionLog(serverId, signal, onNews) {
  const address = path("mcp", "servers", serverId, "logs");
  const list = eventList((query) => request("GET", address, { signal, query }));
  const feed = liveFeed(address, {
    signal,
    begin: list.begin,
    onEvent(event) {
      if (list.take(event)) tellNews(event);
    },
  });
  const tellNews = gather(signal, (count, { message }) => {
    feed.say(count === 1 ? message : `${plural(count, "new event")}, the last: ${message}`);
    onNews();
  });
  return { element: card("Execution log", { actions: feed.button }, feed.notices, list.element), note: list.note };
}

/** Hands over how many came, and the last: what comes at once together, and no more often than every NEWS_MS. */
function gather(signal, handOver) {
  let count = 0;
  let last = null;
  let timer = null;
  function look() {
    timer = null;
    if (count === 0) return;
    handOver(count, last);
    count = 0;
    timer = setTimeout(look, NEWS_MS);
  }
  signal.addEventListener("abort", () => clearTimeout(timer));
  return (item) => {
    count += 1;
    last = item;
    timer ??= setTimeout(look, 0);
  };
}

/** The events as rows, in the order of their ids, each once. `take` tells whether an event was new. */
function eventList(fetchPage) {
  const list = h("ol", { class: "log" });
  const slot = h("div", null);
  const more = h("button", { type: "button", class: "small", onclick: () => whileBusy(more, slot, load) }, "Load more");
  const foot = h("div", { class: "more" });
  const rows = new Map();
  const notes = [];
  let room = KEPT_ROWS;
  let isLoading = false;
  /** Behind which page older events are: undefined to look for them from the newest on, null where there are none. */
  let cursor;

  /** Following from the oldest row on, nothing is lost between this and the stream. */
  async function begin() {
    const page = await fetchPage({ limit: FIRST_EVENTS });
    for (const event of page.items) place(event);
    cursor = page.nextCursor;
    showFoot();
    return page.items.at(-1)?.id ?? "";
  }
  function take(event) {
    if (!place(event)) return false;
    for (const note of notes.splice(0)) note.remove();
    if (!isLoading) makeRoom();
    showFoot();
    return true;
  }
  function place(event) {
    if (rows.has(event.id)) return false;
    const row = eventRow(event);
    let older = list.firstElementChild;
    while (older !== null && older.dataset.event > event.id) older = older.nextElementSibling;
    list.insertBefore(row, older);
    rows.set(event.id, row);
    return true;
  }
  /** The oldest rows go, but not from under a person's focus. "Load more" brings them back. */
  function makeRoom() {
    let row = list.lastElementChild;
    while (row !== null && rows.size > room) {
      const newer = row.previousElementSibling;
      if (!row.matches(":focus-within")) {
        rows.delete(row.dataset.event);
        row.remove();
        cursor = undefined;
      }
      row = newer;
    }
  }
  async function load() {
    const last = list.lastElementChild;
    const before = rows.size;
    isLoading = true;
    try {
      do {
        const page = await fetchPage({ limit: MORE_EVENTS, cursor });
        cursor = page.nextCursor;
        for (const event of page.items) if (place(event)) room += 1;
      } while (last?.nextElementSibling === null && cursor !== null);
    } finally {
      isLoading = false;
    }
    showFoot();
    if (rows.size > before) last?.nextElementSibling?.querySelector("summary")?.focus();
  }
  function showFoot() {
    if (rows.size === 0) foot.replaceChildren(empty("Nothing has happened yet", "Deploys and runs will show up here."));
    else if (cursor === null) foot.replaceChildren();
    else if (!more.isConnected) foot.replaceChildren(more, slot);
  }
  function note(text) {
    const row = h("li", null, clockTime(new Date().toISOString()), h("span", null, text));
    notes.push(row);
    list.prepend(row);
  }
  const element = h("div", { class: "log-box", role: "group", "aria-label": "Events", tabindex: 0 }, list, foot);
  return { element, begin, take, note };
}

function eventRow({ id, type, message, actor, requestId, data, timestamp }) {
  const { runId, agentId } = data;
  const trace = runId && agentId && `/dashboard${path("agents", agentId, "runs", runId)}`;
  return h(
    "li",
    { class: type.split("_").at(-1), "data-event": id },
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
