/** What a graph says about itself: its stages, who reads whom, and where the arcs between stages run. Draws nothing. */

const REFERENCE = /(?<!\\)\{\{\s*([A-Za-z_][\w-]*)([^}?\s]*)\??\s*\}\}/g;
/** Texts inside an expression name nothing. */
const QUOTED = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g;
/** A path from its root on, without the function that is called at its end. */
const PATH = /(?<![\w.])([A-Za-z_]\w*)\b(?!\s*\()((?:\.\??[A-Za-z_]\w*\b(?!\s*\())*)/g;
/** Names that are known without a step. */
const ALWAYS_KNOWN = ["request", "run", "agent", "owner"];
/** What a tool reads where its config does not say. */
const TOKEN = { token: "{{request.headers.authorization}}" };
const IMPLIED = { inputValidation: { data: "{{input}}" }, jwtVerify: TOKEN, authMiddleware: TOKEN };
/** Config of these tools is expressions, in which names stand without braces. */
const EXPRESSIONS = { transform: ["expression", "fields"] };

/** The steps in their order, those that run at once together: a list of lists. */
export function stagesOf({ tools, executionOrder }) {
  const byId = new Map(tools.map((tool) => [tool.toolId, tool]));
  const stages = executionOrder.map((entry) => [entry].flat().flatMap((id) => byId.get(id) ?? []));
  return stages.filter((stage) => stage.length > 0);
}

/** What a step reads: `{ root, text }`, each once, in the order written. `ids` are those of the graph's steps. */
export function readsOf(tool, ids) {
  const found = new Map();
  const add = (root, rest) => found.set(root + rest, { root, text: root + rest });
  const addPaths = (expression) => {
    for (const [, root, rest] of expression.replaceAll(QUOTED, "''").matchAll(PATH)) {
      if (ids.has(root) || ALWAYS_KNOWN.includes(root)) add(root, rest);
    }
  };
  const addReferences = (text) => {
    for (const [, root, rest] of text.matchAll(REFERENCE)) add(root, rest);
  };
  const expressions = EXPRESSIONS[tool.name] ?? [];
  for (const [name, value] of Object.entries({ ...IMPLIED[tool.name], ...tool.config })) {
    visitTexts(value, expressions.includes(name) ? addPaths : addReferences);
  }
  if (tool.when) addPaths(tool.when);
  return [...found.values()];
}

function visitTexts(value, visit) {
  if (typeof value === "string") visit(value);
  else if (value !== null && typeof value === "object")
    for (const inner of Object.values(value)) visitTexts(inner, visit);
}

/** Which step leads to which, by id: `data` where one reads the other, `error` where a failure goes on at the other. */
export function linksOf(stages) {
  const place = new Map(stages.flatMap((stage, i) => stage.map(({ toolId }) => [toolId, i])));
  const ids = new Set(place.keys());
  const links = stages.flat().flatMap((tool) => {
    const roots = new Set(readsOf(tool, ids).map(({ root }) => root));
    const data = [...roots].map((root) => ({ kind: "data", from: root, to: tool.toolId }));
    return jumps(tool) ? [...data, { kind: "error", from: tool.toolId, to: tool.onError }] : data;
  });
  return links.filter(({ from, to }) => place.get(from) < place.get(to));
}

/** Whether a failure of the step leads to another one. */
export function jumps({ onError }) {
  return onError !== undefined && onError !== "fail" && onError !== "continue";
}

/**
 * The links as arcs between stages: `{ kind, from, to, lane, links }`, `from` and `to` by place. What comes of one stage
 * runs in one lane, like a bus; two buses share a lane only where they do not meet, or beyond `maxLanes`.
 */
export function arcsOf(stages, maxLanes) {
  const place = new Map(stages.flatMap((stage, i) => stage.map(({ toolId }) => [toolId, i])));
  const arcs = new Map();
  for (const link of linksOf(stages)) {
    const [from, to] = [place.get(link.from), place.get(link.to)];
    const key = `${link.kind} ${from} ${to}`;
    if (!arcs.has(key)) arcs.set(key, { kind: link.kind, from, to, links: [] });
    arcs.get(key).links.push(link);
  }
  const lanes = lanesOf([...arcs.values()]);
  return [...arcs.values()].map((arc) => ({ ...arc, lane: Math.min(lanes.get(busOf(arc)), maxLanes - 1) }));
}

const busOf = ({ kind, from }) => `${kind} ${from}`;

/** The lane of each bus, short ones inside. */
function lanesOf(arcs) {
  const buses = new Map();
  for (const arc of arcs) {
    const end = Math.max(arc.to, buses.get(busOf(arc))?.end ?? 0);
    buses.set(busOf(arc), { begin: arc.from, end });
  }
  const shortFirst = [...buses].sort(([, a], [, b]) => a.end - a.begin - (b.end - b.begin) || a.begin - b.begin);
  const taken = [];
  return new Map(
    shortFirst.map(([key, bus]) => {
      const free = taken.findIndex((lane) => lane.every((other) => other.end <= bus.begin || other.begin >= bus.end));
      const lane = free === -1 ? taken.length : free;
      taken[lane] = [...(taken[lane] ?? []), bus];
      return [key, lane];
    }),
  );
}
