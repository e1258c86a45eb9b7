import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildWorker, ROOT } from "../../scripts/build.ts";
import { findFreePort } from "../../scripts/server.ts";
import { prepareOrder } from "./agents.ts";
import { loadSourcePlaces, summarizeProfile } from "./cpu-profile.ts";
import { recordCpuProfile } from "./inspector.ts";
import type { LoadGenerator, LoadTarget } from "./load.ts";
import type { Scope } from "./scope.ts";
import { OUR_REQUESTS, type OurRequest, ownVariables, prepareOurs, startWorker } from "./subjects.ts";
import { startBenchUpstash } from "./upstash.ts";

/** What can be profiled: each request with the embedded store, those that ask the store with Upstash, the order's agent. */
export const PROFILES = [...OUR_REQUESTS, "hit-upstash", "miss-upstash", "order"] as const;
export type ProfileName = (typeof PROFILES)[number];

const TOP_FUNCTIONS = 30;
const TOP_FILES = 15;
const WARM_UP_SECONDS = 2;
const US_PER_MS = 1_000;

async function prepareTarget(name: ProfileName, url: string): Promise<LoadTarget> {
  if (name === "order") return prepareOrder(url);
  return (await prepareOurs(url))[name.replace("-upstash", "") as OurRequest];
}

/**
 * Records what our Worker does while it is asked one thing, built with the names of its functions, and tells where the
 * time goes. The whole profile is written to dist, for DevTools.
 */
export async function profileRequest(
  name: ProfileName,
  options: {
    readonly scope: Scope;
    readonly load: LoadGenerator;
    readonly upstreamUrl: string;
    readonly stateRoot: string;
    readonly connections: number;
    readonly seconds: number;
  },
): Promise<string> {
  const { scope, load, upstreamUrl, stateRoot, connections, seconds } = options;
  const bundle = await buildWorker("src/index.ts", true);
  const inspectorPort = await findFreePort("127.0.0.1");
  const upstash = name.endsWith("-upstash") ? scope.add(await startBenchUpstash()) : undefined;
  const variables = { ...ownVariables(upstreamUrl), ...upstash?.variables };
  const ours = scope.add(await startWorker({ bundle, stateRoot, variables, inspectorPort }));
  const target = await prepareTarget(name, ours.url);
  await load.measure(target, { connections, spreadMs: 0, seconds: WARM_UP_SECONDS });
  let requests = 0;
  const profile = await recordCpuProfile(inspectorPort, async () => {
    requests = (await load.measure(target, { connections, spreadMs: 0, seconds })).latenciesMs.length;
  });
  const file = join(ROOT, "dist", `${name}.cpuprofile`);
  await writeFile(file, JSON.stringify(profile));
  const functions = summarizeProfile(profile, await loadSourcePlaces(`${bundle}.map`));
  const perRequest = (ms: number) => ((ms * US_PER_MS) / requests).toFixed(1).padStart(9);
  const files = new Map<string, number>();
  for (const { file: source, selfMs } of functions) files.set(source, (files.get(source) ?? 0) + selfMs);
  const topFiles = [...files].sort(([, a], [, b]) => b - a).slice(0, TOP_FILES);
  return [
    `${name}: ${requests} requests in ${seconds} s, with the profiler's own cost; µs for each request. "(program)" is`,
    `native code that no function called, "(idle)" waiting; native code counts for the function that called it.`,
    "",
    `${"self".padStart(9)}${"total".padStart(9)}  function`,
    ...functions
      .slice(0, TOP_FUNCTIONS)
      .map(({ name, place, selfMs, totalMs }) => `${perRequest(selfMs)}${perRequest(totalMs)}  ${name}  ${place}`),
    "",
    `${"self".padStart(9)}  file`,
    ...topFiles.map(([source, selfMs]) => `${perRequest(selfMs)}  ${source || "(native)"}`),
    "",
    `The whole profile: ${file}`,
  ].join("\n");
}
