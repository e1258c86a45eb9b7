import { badge, h, json, svg } from "./dom.js";
import { ago, bytes, ms, plural } from "./format.js";

const QUARTERS = ["25%", "50%", "75%"];
const KINDS = { ok: "ok", failed: "failed", timeout: "failed", running: "running" };
const TRIGGERS = { http: "HTTP", mcp: "MCP", agent: "another agent", test: "test" };
const MEANINGS = {
  running: "still running",
  cancelled: "the caller hung up",
  interrupted: "the process ended under it: steps that are not here may or may not have happened",
};

/** What a run was answered with, in its colour; how it ended where nobody was answered. */
export function statusBadge({ outcome, status }) {
  if (status === null) return badge(KINDS[outcome] ?? "refused", outcome);
  return badge(status < 400 ? (KINDS[outcome] ?? "refused") : status < 500 ? "refused" : "failed", String(status));
}

export function triggerText({ trigger, dryRun }) {
  const text = TRIGGERS[trigger] ?? trigger;
  return dryRun ? `${text}, dry` : text;
}

/** A run's steps on its time. What was open in `before`, an earlier drawing of the same run, stays open. */
export function runTrace(run, before) {
  const opened = new Set([...(before?.querySelectorAll("details[open]") ?? [])].map(({ dataset }) => dataset.step));
  const span = spanOf(run);
  const facts = [
    ["Run", h("code", null, run.runId)],
    ["Request", h("code", null, run.requestId)],
    run.traceId && ["Trace", h("code", null, run.traceId)],
    ["Version", run.version],
    ["Started", ago(run.startedAt)],
    ["By", TRIGGERS[run.trigger] ?? run.trigger],
  ].filter(Boolean);
  return [
    h(
      "p",
      { class: "row" },
      statusBadge(run),
      h("span", { class: "strong number" }, ms(run.durationMs)),
      h("span", { class: "muted" }, MEANINGS[run.outcome] ?? run.outcome),
      run.dryRun ? h("span", { class: "flag" }, "dry run: nothing was written, sent or called") : null,
    ),
    run.error ? h("p", { class: "problem" }, run.error) : null,
    run.steps.length === 0 ? h("p", { class: "muted" }, "No step is done yet.") : timeline(run, span, opened),
    h(
      "dl",
      { class: "meta facts-line" },
      facts.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
    ),
  ].filter(Boolean);
}

function timeline(run, span, opened) {
  return h(
    "div",
    { class: "timeline" },
    h(
      "p",
      { class: "axis number", "aria-hidden": "true" },
      h("span", null, "0"),
      h("span", null, ms(span / 2)),
      h("span", null, ms(span)),
    ),
    h(
      "ol",
      { class: "waterfall" },
      run.steps.map((step) => stepRow(step, offsetOf(run, step), span, opened.has(step.toolId))),
    ),
  );
}

const offsetOf = (run, step) => Math.max(0, Date.parse(step.startedAt) - Date.parse(run.startedAt));

/** Clocks of steps may read past the run's own end by a millisecond. */
function spanOf(run) {
  return Math.max(1, run.durationMs, ...run.steps.map((step) => offsetOf(run, step) + step.durationMs));
}

function stepRow(step, offsetMs, span, isOpen) {
  const { toolId, name, status, durationMs, attempts, error, rule, note } = step;
  const isSkipped = status === "skipped";
  return h(
    "li",
    { class: status },
    h(
      "details",
      { "data-step": toolId, open: isOpen },
      h(
        "summary",
        null,
        h(
          "span",
          { class: "name" },
          h("span", { class: "strong clip", title: toolId }, toolId),
          " ",
          h("code", { class: "clip" }, name),
        ),
        bar(offsetMs, durationMs, span, isSkipped),
        h(
          "span",
          { class: "number" },
          h("span", { class: "visually-hidden" }, isSkipped ? "" : `${status}, began after ${ms(offsetMs)}, took `),
          isSkipped ? "skipped" : ms(durationMs),
        ),
        isPlain(step) ? null : h("span", { class: "why" }, remarks(status, attempts, rule, error ?? note)),
      ),
      stepDetails(step, offsetMs),
    ),
  );
}

/** Nothing to say about it but its time. */
const isPlain = ({ status, attempts, note }) =>
  note === undefined && (status === "skipped" || (status === "ok" && attempts < 2));

function remarks(status, attempts, rule, error) {
  return [
    status === "ok" ? null : badge(status),
    attempts > 1 ? h("span", { class: "flag retry" }, plural(attempts, "attempt")) : null,
    rule ? h("span", { class: "flag" }, "rule ", h("code", null, rule)) : null,
    error ? h("span", null, error) : null,
  ];
}

/** Begins and ends where the step did within the run, so that steps that ran at once stand below each other. */
function bar(offsetMs, durationMs, span, isSkipped) {
  const percent = (value) => `${((Math.min(value, span) / span) * 100).toFixed(2)}%`;
  const grid = QUARTERS.map((x) => svg("line", { x1: x, x2: x, y1: "0", y2: "100%" }));
  const mark = isSkipped
    ? svg("circle", { cx: percent(offsetMs), cy: "50%", r: 3 })
    : svg("rect", { x: percent(offsetMs), y: 8, width: durationMs > 0 ? percent(durationMs) : 1, height: 12, rx: 3 });
  return svg("svg", { class: "bar", "aria-hidden": "true" }, grid, mark);
}

function stepDetails({ status, durationMs, attempts, outputBytes, input, output }, offsetMs) {
  const facts = [
    ["Began after", ms(offsetMs)],
    ["Took", ms(durationMs)],
    ["Attempts", attempts],
    ["Output", bytes(outputBytes)],
  ];
  return h(
    "div",
    { class: "step-trace" },
    h(
      "dl",
      { class: "meta facts-line" },
      facts.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
    ),
    valueBlock("Input", input, status === "skipped" ? "The step was skipped." : "It never came to an input."),
    valueBlock("Output", output, status === "ok" ? "The output is null." : "There is none."),
  );
}

/** A value as the trace keeps it: masked, and cut where it was long. */
function valueBlock(title, value, otherwise) {
  return [h("p", { class: "muted" }, title), value === null ? h("p", null, otherwise) : json(value)];
}
