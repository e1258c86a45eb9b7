import { h, json, svg } from "./dom.js";

/** A card and the gap below it, as in the style sheet: the arcs are drawn to these. */
const CARD_HEIGHT = 60;
const ROW_HEIGHT = 86;
const LANE_WIDTH = 14;
const CORNER = 6;

const REFERENCE = /(?<!\\)\{\{\s*([A-Za-z_][\w-]*)([^}?\s]*)\??\s*\}\}/g;
/** What a tool reads where its config does not say. */
const IMPLIED = { inputValidation: { data: "{{input}}" } };

/** The references in a step's config: `{ root, text }`, each once, in the order written. */
export function referencesIn(tool) {
  const config = { ...IMPLIED[tool.name], ...tool.config };
  const found = new Map();
  const visit = (value) => {
    if (typeof value === "string") {
      for (const [, root, rest] of value.matchAll(REFERENCE)) found.set(root + rest, { root, text: root + rest });
    } else if (value !== null && typeof value === "object") Object.values(value).forEach(visit);
  };
  visit(config);
  return [...found.values()];
}

/** From which earlier step to which, by place in the order: `{ from, to, lane }`. Arcs in one lane never overlap. */
export function arcsOf(steps) {
  const place = new Map(steps.map((tool, i) => [tool.toolId, i]));
  const arcs = steps.flatMap((tool, to) => {
    const froms = referencesIn(tool).map(({ root }) => place.get(root));
    return [...new Set(froms)].filter((from) => from !== undefined && from < to).map((from) => ({ from, to }));
  });
  const lanes = [];
  const shortFirst = arcs.sort((a, b) => a.to - a.from - (b.to - b.from) || a.from - b.from);
  return shortFirst.map((arc) => {
    const free = lanes.findIndex((lane) => lane.every((other) => other.to <= arc.from || other.from >= arc.to));
    const lane = free === -1 ? lanes.length : free;
    lanes[lane] = [...(lanes[lane] ?? []), arc];
    return { ...arc, lane };
  });
}

/** The steps as cards in their order, with an arc from each step to those that read its output. */
export function drawGraph({ tools, executionOrder }) {
  const byId = new Map(tools.map((tool) => [tool.toolId, tool]));
  const steps = executionOrder.flat().flatMap((id) => byId.get(id) ?? []);
  const arcs = arcsOf(steps);
  const paths = arcs.map(drawArc(arcs));
  const details = h("div", { class: "step-details", id: "step-details" });
  const cards = steps.map((tool, i) => {
    const light = (on) => {
      for (const [k, drawn] of paths.entries()) drawn.classList.toggle("lit", on && touches(arcs[k], i));
    };
    return stepCard(tool, i, light, () => showDetails(i));
  });
  function showDetails(i) {
    const isOpen = cards[i].firstChild.getAttribute("aria-expanded") === "true";
    for (const [k, card] of cards.entries()) {
      card.firstChild.setAttribute("aria-expanded", String(k === i && !isOpen));
    }
    details.replaceChildren(...(isOpen ? [] : stepDetails(steps[i])));
  }
  return h("div", null, h("div", { class: "graph" }, h("ol", null, cards), gutter(arcs, paths, steps.length)), details);
}

const touches = (arc, i) => arc.from === i || arc.to === i;

function stepCard(tool, i, light, toggle) {
  const references = referencesIn(tool).map(({ text }) => text);
  const reads = references.length > 0 ? `reads ${references.join(", ")}` : (tool.description ?? "reads no other step");
  return h(
    "li",
    {
      onmouseenter: () => light(true),
      onmouseleave: () => light(false),
      onfocusin: () => light(true),
      onfocusout: () => light(false),
    },
    h(
      "button",
      {
        type: "button",
        class: "step",
        "aria-expanded": "false",
        "aria-controls": "step-details",
        title: reads,
        onclick: toggle,
      },
      h("span", { class: "number", "aria-hidden": "true" }, i + 1),
      h(
        "span",
        { class: "grow" },
        h("span", { class: "clip" }, h("span", { class: "strong" }, tool.toolId), " ", h("code", null, tool.name)),
        h("span", { class: "muted clip" }, reads),
      ),
    ),
  );
}

function stepDetails({ toolId, description, config, inputSchema, timeoutMs }) {
  return [
    h("h3", null, toolId),
    description ? h("p", null, description) : null,
    timeoutMs ? h("p", { class: "muted" }, `Ends after ${timeoutMs} ms`) : null,
    h("p", { class: "muted" }, "Config"),
    json(config ?? {}),
    ...(inputSchema ? [h("p", { class: "muted" }, "Input schema"), json(inputSchema)] : []),
  ].filter(Boolean);
}

/** The arcs say what the cards' second lines say in words, so readers of the text miss nothing. */
function gutter(arcs, paths, rows) {
  const lanes = Math.max(-1, ...arcs.map(({ lane }) => lane)) + 1;
  const width = lanes === 0 ? 0 : lanes * LANE_WIDTH + CORNER;
  return svg("svg", { width, height: (rows - 1) * ROW_HEIGHT + CARD_HEIGHT, "aria-hidden": "true" }, paths);
}

function drawArc(arcs) {
  return ({ from, to, lane }) => {
    const arriving = arcs.filter((arc) => arc.to === to);
    const slot = arriving.sort((a, b) => b.from - a.from).findIndex((arc) => arc.from === from);
    const startY = from * ROW_HEIGHT + CARD_HEIGHT - 16;
    const endY = to * ROW_HEIGHT + 14 + slot * 8;
    const x = (lane + 1) * LANE_WIDTH;
    const turn = `M0 ${startY}H${x - CORNER}q${CORNER} 0 ${CORNER} ${CORNER}V${endY - CORNER}q0 ${CORNER} ${-CORNER} ${CORNER}H1`;
    return svg("path", { d: `${turn}m4 -3.5l-4 3.5l4 3.5` });
  };
}
