import { h, json } from "./dom.js";
import { ms } from "./format.js";
import { arcLayer } from "./graph-arcs.js";
import { arcsOf, jumps, linksOf, readsOf, stagesOf } from "./graph-model.js";

/** More would take the room of the steps themselves; what is beyond shares the last one. */
const MAX_LANES = 6;

let graphCount = 0;

/** The stages from top to bottom, what runs at once side by side, and arcs from each stage to those that read of it. */
export function drawGraph(graph) {
  const id = ++graphCount;
  const stages = stagesOf(graph);
  const ids = new Set(stages.flat().map(({ toolId }) => toolId));
  const links = linksOf(stages);
  const cards = new Map();
  const light = (toolId) => {
    const linked = links.flatMap(({ from, to }) => (from === toolId ? to : to === toolId ? from : []));
    for (const [other, card] of cards) card.classList.toggle("linked", linked.includes(other));
    layer.light(toolId);
  };
  const drawn = stages.map((stage, i) => {
    const details = h("div", { class: "step-details", id: `step-details-${id}-${i}` });
    for (const tool of stage) {
      const reads = readsOf(tool, ids).map(({ text }) => text);
      cards.set(tool.toolId, stepCard(tool, reads, details, light));
    }
    const own = stage.map(({ toolId }) => cards.get(toolId));
    const box = own.length === 1 ? own[0] : groupBox(own);
    const number = h("span", { class: "number", "aria-hidden": "true" }, i + 1);
    return { box, element: h("li", { class: "stage" }, number, box, details) };
  });
  const list = h(
    "ol",
    null,
    drawn.map(({ element }) => element),
  );
  const layer = arcLayer(
    arcsOf(stages, MAX_LANES),
    drawn.map(({ box }) => box),
    list,
  );
  return h("div", { class: "graph" }, list, layer.element);
}

function groupBox(cards) {
  const caption = `${cards.length} steps at the same time`;
  return h(
    "div",
    { class: "group" },
    h("p", { class: "fine", "aria-hidden": "true" }, caption),
    h(
      "ul",
      { "aria-label": caption },
      cards.map((card) => h("li", null, card)),
    ),
  );
}

function stepCard(tool, reads, details, light) {
  const text = readsText(tool, reads);
  const on = () => light(tool.toolId);
  const off = () => light(null);
  const button = h(
    "button",
    {
      type: "button",
      class: "step",
      "aria-expanded": "false",
      "aria-controls": details.id,
      title: text,
      onclick: () => toggleDetails(button, tool, details),
      onmouseenter: on,
      onmouseleave: off,
      onfocus: on,
      onblur: off,
    },
    h("span", { class: "clip" }, h("span", { class: "strong" }, tool.toolId), " ", h("code", null, tool.name)),
    pause(),
    h("span", { class: "muted clip" }, text),
    flagsOf(tool),
  );
  return button;
}

/** What these take stands in no config. */
const TAKES = { code: "may read every step before it", input: "takes the request's body" };

function readsText(tool, reads) {
  if (TAKES[tool.name]) return TAKES[tool.name];
  return reads.length > 0 ? `reads ${reads.join(", ")}` : (tool.description ?? "reads no other step");
}

/** For screen readers, which read a button's parts as one sentence. */
const pause = () => h("span", { class: "visually-hidden" }, ", ");

const arrow = () => [h("span", { "aria-hidden": "true" }, " → "), h("span", { class: "visually-hidden" }, " goes to ")];

/** What is unusual about a step, in one word or two each; the whole of it as title, and in the details. */
function flagsOf(tool) {
  const { when, retry, onError } = tool;
  const flags = [
    when && flag("when", `Runs only when ${when}`, "when ", h("code", null, when)),
    retry?.attempts > 1 && flag("retry", describeRetry(retry), `up to ${retry.attempts} tries`),
    onError === "continue" && flag("on-error", describeOnError(tool), "on error go on"),
    jumps(tool) && flag("on-error", describeOnError(tool), "error", arrow(), h("code", null, onError)),
  ].filter(Boolean);
  return flags.length === 0 ? null : h("span", { class: "flags" }, flags);
}

function flag(kind, title, ...text) {
  return [pause(), h("span", { class: `flag ${kind}`, title }, text)];
}

function describeRetry({ attempts, backoffMs }) {
  return `A failure that can pass is tried again: up to ${attempts} tries, the first pause is about ${ms(backoffMs)}`;
}

function describeOnError({ onError }) {
  return onError === "continue"
    ? "A failure does not end the run: the step's output is null then"
    : `A failure does not end the run: it goes on at ${onError}`;
}

/** One step of a stage is open at a time. */
function toggleDetails(button, tool, details) {
  const isOpen = button.getAttribute("aria-expanded") === "true";
  for (const other of document.querySelectorAll(`[aria-controls="${details.id}"]`)) {
    other.setAttribute("aria-expanded", String(other === button && !isOpen));
  }
  details.replaceChildren(...(isOpen ? [] : stepDetails(tool)));
}

function stepDetails(tool) {
  const { toolId, description, config, inputSchema, when, retry, onError, timeoutMs } = tool;
  const rules = [
    when && ["Runs when", h("code", null, when)],
    retry && ["Tries", describeRetry(retry)],
    onError && onError !== "fail" && ["On error", describeOnError(tool)],
    timeoutMs && ["Ends after", ms(timeoutMs)],
  ].filter(Boolean);
  return [
    h("h3", null, toolId),
    description ? h("p", null, description) : null,
    rules.length > 0
      ? h(
          "dl",
          { class: "rules" },
          rules.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
        )
      : null,
    h("p", { class: "muted" }, "Config"),
    json(config ?? {}),
    ...(inputSchema ? [h("p", { class: "muted" }, "Input schema"), json(inputSchema)] : []),
  ].filter(Boolean);
}
