import { badge, h } from "./dom.js";
import { ms } from "./format.js";

/** Who was asked for a search, in order, and what came of it. */
export function attemptsTable(attempts) {
  return table(
    ["Provider", "Outcome", "Reason", "HTTP", "Took"],
    attempts.map((a) => [
      a.provider,
      badge(a.outcome),
      a.reason?.replaceAll("_", " ") ?? "—",
      a.httpStatus ?? "—",
      ms(a.durationMs),
    ]),
  );
}

/** The first cell of a row is its heading. */
export function table(columns, rows) {
  const cells = (row) => row.map((cell, i) => (i === 0 ? h("th", { scope: "row" }, cell) : h("td", null, cell)));
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      null,
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          columns.map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map((row) => h("tr", null, cells(row))),
      ),
    ),
  );
}
