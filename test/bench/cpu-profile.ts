import { readFile } from "node:fs/promises";
import { SourceMap, type SourceMapPayload } from "node:module";

/** A function's share of a profile. */
export interface ProfiledFunction {
  readonly name: string;
  /** Empty for what is native. */
  readonly file: string;
  readonly place: string;
  readonly selfMs: number;
  readonly totalMs: number;
}

/** The part of the DevTools protocol's `Profiler.Profile` that is read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

/** Where in the sources a place of the bundle comes from; null where that is not known. */
export type SourcePlaces = (line: number, column: number) => { readonly file: string; readonly line: number } | null;

const US_PER_MS = 1_000;

export async function loadSourcePlaces(mapFile: string): Promise<SourcePlaces> {
  const map = new SourceMap(JSON.parse(await readFile(mapFile, "utf8")) as SourceMapPayload);
  return (line, column) => {
    const entry = map.findEntry(line, column);
    if (!("originalSource" in entry)) return null;
    return { file: entry.originalSource.replace(/^(\.\.\/)+/, ""), line: entry.originalLine + 1 };
  };
}

/** Self and total time by function, the most self time first; a function that calls itself counts once in its total. */
export function summarizeProfile(profile: CpuProfile, places: SourcePlaces): readonly ProfiledFunction[] {
  const selfMs = selfTimes(profile);
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const functions = new Map<string, ProfiledFunction>();
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const own = selfMs.get(node.id) ?? 0;
    const called = describe(node.callFrame, places);
    const key = `${called.name} ${called.place}`;
    const within = new Set(above).add(key);
    const children = (node.children ?? []).map((id) => byId.get(id)).filter((child) => child !== undefined);
    const total = own + children.reduce((sum, child) => sum + visit(child, within), 0);
    const known = functions.get(key) ?? { ...called, selfMs: 0, totalMs: 0 };
    functions.set(key, {
      ...known,
      selfMs: known.selfMs + own,
      totalMs: known.totalMs + (above.has(key) ? 0 : total),
    });
    return total;
  };
  const root = profile.nodes[0];
  if (root !== undefined) visit(root, new Set());
  return [...functions.values()].sort((a, b) => b.selfMs - a.selfMs);
}

function selfTimes({ samples = [], timeDeltas = [] }: CpuProfile): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const [i, id] of samples.entries()) times.set(id, (times.get(id) ?? 0) + (timeDeltas[i] ?? 0) / US_PER_MS);
  return times;
}

function describe({ functionName, url, lineNumber, columnNumber }: CallFrame, places: SourcePlaces) {
  const name = functionName || "(anonymous)";
  if (url === "") return { name, file: "", place: "" };
  const source = places(lineNumber, columnNumber);
  const file = source?.file ?? url.slice(url.lastIndexOf("/") + 1);
  return { name, file, place: `${file}:${source?.line ?? lineNumber + 1}` };
}
