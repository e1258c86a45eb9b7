import { setTimeout as sleep } from "node:timers/promises";
import { installOnDemand } from "../support/on-demand.ts";

const START_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

/** Something that users would pick instead; no dependency of ours. Gives the folder of its package. */
export function installPeer(peer: { readonly name: string; readonly version: string }): Promise<string> {
  return installOnDemand({ ...peer, into: `orchestrix-bench/${peer.name.replace(/^@/, "").replace("/", "-")}` });
}

/** Resolves when `url` answers well. @throws Error when it has not after a while. */
export async function waitUntilServed(url: string, name: string, request: RequestInit = {}): Promise<void> {
  for (const endAt = Date.now() + START_TIMEOUT_MS; ; await sleep(POLL_MS)) {
    const isServed = await fetch(url, request).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isServed) return;
    if (Date.now() > endAt) throw new Error(`${name} did not start`);
  }
}
