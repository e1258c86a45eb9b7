import { expect, test } from "vitest";
import researchBriefApi from "../../../src/servers/templates/research-brief-api.json" with { type: "json" };

const MODEL = "../../../src/dashboard/public/graph-model.js";
const { arcsOf, linksOf, readsOf, stagesOf } = await import(MODEL);

const MANY_LANES = 100;

function readsOfStep(tool: object, ids: readonly string[]): string[] {
  return readsOf(tool, new Set(ids)).map(({ text }: { text: string }) => text);
}

/** A graph of steps that read each other, in which nothing else matters. */
function graphOf(executionOrder: readonly (string | string[])[], reads: Record<string, readonly string[]>) {
  const tools = executionOrder.flat().map((toolId) => ({
    toolId,
    name: "transform",
    config: { expression: `[${(reads[toolId] ?? []).join(", ")}]` },
  }));
  return stagesOf({ tools, executionOrder });
}

test("steps that run at once share a stage", () => {
  const stages = stagesOf(researchBriefApi);
  expect(stages.map((stage: { toolId: string }[]) => stage.map(({ toolId }) => toolId))).toEqual([
    ["input"],
    ["validation"],
    ["search", "page"],
    ["brief"],
    ["response"],
  ]);
});

test("a step reads what its references, its expressions and its condition name", () => {
  const links = linksOf(stagesOf(researchBriefApi)).map((link: { from: string; to: string }) => [link.from, link.to]);
  expect(links).toEqual([
    ["input", "validation"],
    ["validation", "search"],
    ["validation", "page"],
    ["validation", "brief"],
    ["search", "brief"],
    ["page", "brief"],
    ["brief", "response"],
  ]);
});

test("an expression's texts, functions, properties and variables name no step", () => {
  const expression = `a.list.map(b, b.size() + c.x) + 'd.e' + "it's \\"d\\"" + f.a + size(g) + request.method`;
  const tool = { toolId: "t", name: "transform", config: { expression } };
  expect(readsOfStep(tool, ["a", "c", "d", "e", "x", "size", "g"])).toEqual(["a.list", "c.x", "g", "request.method"]);
});

test("braces that are escaped, and expressions outside of transform, are no references", () => {
  const config = { url: "\\{{a.b}} {{ a.c? }}", expression: "a.d" };
  expect(readsOfStep({ toolId: "t", name: "httpRequest", config }, ["a"])).toEqual(["a.c"]);
});

test("a failure that goes on elsewhere is a link of its own kind", () => {
  const tools = [
    { toolId: "a", name: "httpRequest", config: {}, onError: "c" },
    { toolId: "b", name: "httpRequest", config: {}, onError: "continue" },
    { toolId: "c", name: "transform", config: { expression: "b" }, onError: "fail" },
  ];
  expect(linksOf(stagesOf({ tools, executionOrder: ["a", "b", "c"] }))).toEqual([
    { kind: "error", from: "a", to: "c" },
    { kind: "data", from: "b", to: "c" },
  ]);
});

test("what comes of one stage shares a lane, and lanes that meet do not", () => {
  const stages = graphOf(["a", ["b", "c"], "d", "e"], { b: ["a"], c: ["a"], d: ["b", "c"], e: ["a", "d"] });
  const arcs = arcsOf(stages, MANY_LANES);
  expect(arcs).toMatchObject([
    { from: 0, to: 1, lane: 1, links: [{ to: "b" }, { to: "c" }] },
    { from: 1, to: 2, lane: 0, links: [{ from: "b" }, { from: "c" }] },
    { from: 0, to: 3, lane: 1, links: [{ from: "a", to: "e" }] },
    { from: 2, to: 3, lane: 0 },
  ]);
});

test("a hundred steps that all read all before them take no more lanes than there are", () => {
  const ids = Array.from({ length: 100 }, (_, i) => `s${i}`);
  const stages = graphOf(ids, Object.fromEntries(ids.map((id, i) => [id, ids.slice(0, i)])));
  const arcs = arcsOf(stages, 6);
  expect(arcs).toHaveLength((100 * 99) / 2);
  expect(Math.max(...arcs.map(({ lane }: { lane: number }) => lane))).toBe(5);
});

test("one step alone has no arcs", () => {
  expect(arcsOf(graphOf(["only"], {}), MANY_LANES)).toEqual([]);
});
