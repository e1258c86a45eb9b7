import { join } from "node:path";
import { findFreePort } from "../../scripts/server.ts";
import { startChild } from "./child.ts";
import { COUNTER, type LoadTarget } from "./load.ts";
import { installPeer, waitUntilServed } from "./peers.ts";
import type { Subject } from "./subjects.ts";

const PACKAGE = "@portkey-ai/gateway";
const PEER = { name: PACKAGE, version: "1.15.2" };

/** Starts the gateway as its package does, with no logs page. */
export async function startPortkey(): Promise<Subject> {
  const server = join(await installPeer(PEER), "build/start-server.js");
  const port = await findFreePort("127.0.0.1");
  const { pid, stop } = startChild(server, ["--headless", `--port=${port}`], { NODE_ENV: "production" });
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitUntilServed(url, PACKAGE);
    return { url, pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What it is made for: a chat completion, handed to a host that speaks OpenAI's protocol. */
export function portkeyTarget(url: string, upstreamUrl: string, query: string): LoadTarget {
  return {
    url: `${url}/v1/chat/completions`,
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: "Bearer sk-stand-in",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${upstreamUrl}/v1`,
    },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: query }] }),
  };
}

/** @throws Error when an answer is not the upstream's. */
export async function checkPortkey({ url, headers = {}, body = "" }: LoadTarget): Promise<void> {
  const answer = await fetch(url, { method: "POST", headers, body });
  const text = await answer.text();
  if (answer.status !== 200 || !text.includes(COUNTER)) throw new Error(`${PACKAGE} answers ${answer.status} ${text}`);
}
