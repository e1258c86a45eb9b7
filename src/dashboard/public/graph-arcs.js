import { svg } from "./dom.js";

const LANE_WIDTH = 12;
const CORNER = 6;
/** Where an arc leaves its box, up from the bottom; a jump leaves below what is read. */
const LEAVES_AT = { data: 20, error: 9 };
const ARRIVES_AT = 14;
const ARRIVALS_APART = 8;

/**
 * The arcs beside the stages' boxes, drawn again whenever the list of stages changes its size. They say what the steps'
 * second lines say in words, so readers of the text miss nothing.
 */
export function arcLayer(arcs, boxes, list) {
  const slots = slotsOf(arcs);
  const paths = arcs.map(({ kind }) => svg("path", { class: kind }));
  const lanes = Math.max(-1, ...arcs.map(({ lane }) => lane)) + 1;
  const width = lanes === 0 ? 0 : lanes * LANE_WIDTH + CORNER;
  const element = svg("svg", { width, class: "arcs", "aria-hidden": "true" }, paths);
  function draw() {
    const { top } = list.getBoundingClientRect();
    const places = boxes.map((box) => {
      const rect = box.getBoundingClientRect();
      return { top: rect.top - top, bottom: rect.bottom - top };
    });
    for (const [i, arc] of arcs.entries()) paths[i].setAttribute("d", drawArc(arc, slots[i], places));
  }
  function light(toolId) {
    for (const [i, { links }] of arcs.entries()) {
      const isLit = links.some(({ from, to }) => from === toolId || to === toolId);
      paths[i].classList.toggle("lit", isLit);
      // Above the others that share its lane.
      if (isLit) element.append(paths[i]);
    }
  }
  new ResizeObserver(draw).observe(list);
  return { element, light };
}

/** Which of the arcs that arrive at its stage each one is, those from nearby first. */
function slotsOf(arcs) {
  const arriving = Map.groupBy(arcs, ({ to }) => to);
  for (const group of arriving.values()) group.sort((a, b) => b.from - a.from);
  return arcs.map((arc) => ({ slot: arriving.get(arc.to).indexOf(arc), of: arriving.get(arc.to).length }));
}

function drawArc({ kind, from, to, lane }, { slot, of }, places) {
  const room = places[to].bottom - places[to].top - 2 * ARRIVES_AT;
  const apart = Math.min(ARRIVALS_APART, room / Math.max(1, of - 1));
  const startY = places[from].bottom - LEAVES_AT[kind];
  const endY = places[to].top + ARRIVES_AT + slot * apart;
  const x = (lane + 1) * LANE_WIDTH;
  return (
    `M0 ${startY}H${x - CORNER}q${CORNER} 0 ${CORNER} ${CORNER}V${endY - CORNER}q0 ${CORNER} ${-CORNER} ${CORNER}H1` +
    "m4 -3.5l-4 3.5l4 3.5"
  );
}
