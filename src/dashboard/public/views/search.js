import { ownerParam, request } from "../api.js";
import { announce, badge, empty, field, h, outLink, select } from "../dom.js";
import { ms, plural } from "../format.js";
import { whileBusy } from "../problem.js";
import { attemptsTable } from "../tables.js";

export function searchView({ signal }) {
  const slot = h("div", null);
  const answer = h(
    "div",
    { class: "answers" },
    empty("Ask something", "Every provider is tried in turn until one answers."),
  );
  const button = h("button", { class: "primary" }, "Search");
  const submit = (event) => {
    event.preventDefault();
    const body = { ...searchBody(new FormData(event.currentTarget)), ...ownerParam() };
    whileBusy(button, slot, async () => {
      answer.replaceChildren(
        h("div", { class: "loading", "aria-busy": "true" }, h("i", null), h("i", null), h("i", null)),
      );
      try {
        const found = await request("POST", "/search", { body, signal });
        answer.replaceChildren(...answerParts(found).filter(Boolean));
        announce(plural(found.results.length, "result"));
      } catch (error) {
        answer.replaceChildren();
        throw error;
      }
    });
  };
  return [
    h("div", { class: "page-head" }, h("h1", null, "Search")),
    h(
      "form",
      { class: "search", role: "search", onsubmit: submit },
      h(
        "div",
        { class: "row" },
        h("input", {
          name: "query",
          type: "search",
          class: "grow",
          required: true,
          maxlength: 400,
          "aria-label": "Question",
          placeholder: "What do you want to know?",
          autofocus: true,
        }),
        button,
      ),
      h("details", null, h("summary", null, "Options"), searchOptions()),
    ),
    slot,
    answer,
    documentForm(signal),
  ];
}

function searchOptions() {
  const any = ["", "Any time"];
  return h(
    "div",
    { class: "options" },
    field("Results", h("input", { name: "maxResults", type: "number", min: 1, max: 20, value: 5 })),
    field("Topic", select("topic", ["general", "news", "finance"])),
    field(
      "Time",
      select("timeRange", [
        any,
        ["day", "Past day"],
        ["week", "Past week"],
        ["month", "Past month"],
        ["year", "Past year"],
      ]),
    ),
    field("Depth", select("searchDepth", ["basic", "advanced"])),
    field(
      "Cache",
      select("cache", [
        ["default", "Use it"],
        ["bypass", "Ask afresh"],
        ["only", "Nothing else"],
      ]),
    ),
    field(
      "Only these domains",
      h("input", { name: "includeDomains", placeholder: "example.com, …", spellcheck: "false" }),
    ),
    field(
      "Never these domains",
      h("input", { name: "excludeDomains", placeholder: "example.com, …", spellcheck: "false" }),
    ),
  );
}

function searchBody(form) {
  const domains = (name) =>
    form
      .get(name)
      .split(/[\s,]+/)
      .filter((text) => text !== "");
  return {
    query: form.get("query"),
    maxResults: Number(form.get("maxResults")) || 5,
    topic: form.get("topic"),
    searchDepth: form.get("searchDepth"),
    timeRange: form.get("timeRange") || null,
    cache: form.get("cache"),
    includeDomains: domains("includeDomains"),
    excludeDomains: domains("excludeDomains"),
  };
}

const CACHE_TEXTS = {
  miss: "fresh",
  bypass: "fresh, cache passed by",
  l1: "from this isolate's cache",
  l2: "from the shared cache",
  stale: "from the cache, past its time",
  coalesced: "shared with the same question of somebody else",
};

function answerParts({ results, answer, provider, degraded, cache, attempts, requestId, tookMs }) {
  const age = cache.ageSeconds > 0 ? `, ${plural(cache.ageSeconds, "second")} old` : "";
  const source = `${CACHE_TEXTS[cache.status] ?? cache.status}${age}`;
  return [
    h(
      "p",
      { class: "row meta" },
      h("span", { class: "strong" }, plural(results.length, "result")),
      h("span", null, `by ${provider}`),
      h("span", null, source),
      h("span", null, ms(tookMs)),
      degraded ? badge("degraded") : null,
    ),
    degraded ? h("p", { class: "note" }, "No provider of the web answered: this is what the index knows.") : null,
    answer ? h("p", { class: "card" }, answer) : null,
    results.length > 0
      ? h("ol", { class: "results" }, results.map(resultItem))
      : empty("Nothing found", "Try other words, or fewer limits."),
    h(
      "details",
      { class: "card", open: degraded },
      h("summary", null, `Attempts (${attempts.length})`),
      attempts.length > 0 ? attemptsTable(attempts) : h("p", { class: "muted" }, "Nobody was asked: the cache had it."),
      h("p", { class: "meta" }, "Request ", h("code", null, requestId)),
    ),
  ];
}

function resultItem({ title, url, content, score, publishedDate, provider }) {
  return h(
    "li",
    null,
    h("p", { class: "muted clip" }, url),
    h("h2", null, outLink(url, title || url)),
    h("p", null, content),
    h(
      "p",
      { class: "row meta" },
      h("span", null, provider),
      h("span", null, `score ${score.toFixed(2)}`),
      publishedDate ? h("span", null, publishedDate) : null,
    ),
  );
}

/** Puts one document into the owner's own index. */
function documentForm(signal) {
  const slot = h("div", null);
  const button = h("button", null, "Add document");
  const submit = (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { title, url, content } = Object.fromEntries(new FormData(form));
    whileBusy(button, slot, async () => {
      const body = { documents: [{ title, url, content }], ...ownerParam() };
      await request("PUT", "/search/documents", { body, signal });
      form.reset();
      announce("The document is in the index");
    });
  };
  return h(
    "details",
    { class: "card" },
    h("summary", null, "Add a document to your index"),
    h("p", { class: "hint" }, "It answers the questions of its owner alone, also while no provider can be reached."),
    h(
      "form",
      { onsubmit: submit },
      h(
        "div",
        { class: "two" },
        field("Title", h("input", { name: "title", required: true })),
        field("Address", h("input", { name: "url", type: "url", required: true, placeholder: "https://…" })),
      ),
      field("Content", h("textarea", { name: "content", rows: 5, required: true })),
      slot,
      button,
    ),
  );
}
