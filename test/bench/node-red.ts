import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePort } from "../../scripts/server.ts";
import { startChild } from "./child.ts";
import type { LoadTarget } from "./load.ts";
import { installPeer, waitUntilServed } from "./peers.ts";
import type { Subject } from "./subjects.ts";

const PEER = { name: "node-red", version: "5.0.7" };

/** An order with its lines: checked, summed up and answered. */
export const ORDER_SCHEMA = {
  type: "object",
  required: ["name", "items"],
  properties: {
    name: { type: "string", minLength: 1, maxLength: 200 },
    items: {
      type: "array",
      maxItems: 100,
      items: {
        type: "object",
        required: ["price", "count"],
        properties: { price: { type: "number", minimum: 0 }, count: { type: "integer", minimum: 1 } },
      },
    },
  },
};
export const ORDER = JSON.stringify({
  name: "Ada",
  items: [
    { price: 12.5, count: 2 },
    { price: 3, count: 10 },
  ],
});
export const SUMMED_ORDER = { greeting: "Hello Ada", total: 55 };

/** The same steps as nodes: HTTP in, the schema, JSON with validation, a JSONata expression, HTTP out. */
const FLOW = [
  { id: "tab", type: "tab", label: "Order" },
  { id: "in", z: "tab", type: "http in", url: "/order", method: "post", upload: false, wires: [["schema"]] },
  {
    id: "schema",
    z: "tab",
    type: "change",
    rules: [{ t: "set", p: "schema", pt: "msg", to: JSON.stringify(ORDER_SCHEMA), tot: "json" }],
    wires: [["validate"]],
  },
  { id: "validate", z: "tab", type: "json", property: "payload", action: "obj", pretty: false, wires: [["transform"]] },
  {
    id: "transform",
    z: "tab",
    type: "change",
    rules: [
      {
        t: "set",
        p: "payload",
        pt: "msg",
        to: '{"greeting": "Hello " & payload.name, "total": $sum(payload.items.(price * count))}',
        tot: "jsonata",
      },
    ],
    wires: [["out"]],
  },
  { id: "out", z: "tab", type: "http response", statusCode: "200", headers: {}, wires: [] },
];

/** Starts Node-RED with the flow and without its editor. @throws Error where it does not answer as the graph does. */
export async function startNodeRed(stateRoot: string): Promise<Subject & { readonly target: LoadTarget }> {
  const home = await installPeer(PEER);
  const port = await findFreePort("127.0.0.1");
  await mkdir(stateRoot, { recursive: true });
  const userDir = await mkdtemp(join(stateRoot, "node-red-"));
  await writeFile(join(userDir, "flows.json"), JSON.stringify(FLOW));
  const settings = { flowFile: "flows.json", uiPort: port, uiHost: "127.0.0.1", httpAdminRoot: false, logging: QUIET };
  await writeFile(join(userDir, "settings.js"), `module.exports = ${JSON.stringify(settings)};\n`);
  const { pid, stop } = startChild(join(home, "red.js"), ["--userDir", userDir], { NODE_ENV: "production" });
  const url = `http://127.0.0.1:${port}`;
  const target: LoadTarget = {
    url: `${url}/order`,
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: ORDER,
  };
  try {
    await waitUntilServed(`${url}/order`, PEER.name, { method: "POST", headers: target.headers ?? {}, body: ORDER });
    await checkOrder(target);
    return { url, pid, stop, target };
  } catch (error) {
    await stop();
    throw error;
  }
}

const QUIET = { console: { level: "fatal", metrics: false, audit: false } };

/** @throws Error where the answer is another than the summed order. */
export async function checkOrder({ url, headers = {} }: LoadTarget): Promise<void> {
  const answer = await fetch(url, { method: "POST", headers, body: ORDER });
  const text = await answer.text();
  if (answer.status !== 200 || text !== JSON.stringify(SUMMED_ORDER)) {
    throw new Error(`${url} answers ${answer.status} ${text}`);
  }
}
