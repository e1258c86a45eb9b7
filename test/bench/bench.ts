import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildWorker, ROOT } from "../../scripts/build.ts";
import { findFreePort, type LocalServer, serveWorker } from "../../scripts/server.ts";
import { startTavily, TAVILY_KEY } from "../support/providers/tavily.ts";
import { type LoadResult, type LoadTarget, measureLoad } from "./load.ts";

const HELP = `Measures the Worker on workerd against a bare Hono handler on the same workerd, in the same run.

Usage: npm run bench [-- options]

Options
  --seconds <n>      how long each case is measured (5)
  --concurrency <n>  how many connections ask at once (10)
  --json             print JSON only
  --help             print this

The figures are also written to dist/bench.json.`;

const HOST = "127.0.0.1";
const ADMIN_API_KEY = "admin-key-of-the-benchmark";
const UNLIMITED = { RATE_LIMIT_BURST: "1000000", RATE_LIMIT_PER_MINUTE: "1000000", RATE_LIMIT_PER_HOUR: "100000000" };
const ECHO = {
  name: "Echo",
  ownerId: "bench",
  tools: [
    { toolId: "input", name: "input", inputSchema: { type: "object", required: ["a"] } },
    { toolId: "validation", name: "inputValidation" },
    { toolId: "response", name: "response", config: { body: "{{validation}}" } },
  ],
  executionOrder: ["input", "validation", "response"],
};
const QUERY = { query: "durable objects storage" };

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    concurrency: { type: "string", default: "10" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

async function main(): Promise<void> {
  if (flags.help) return console.log(HELP);
  const stateDir = await mkdtemp(join(tmpdir(), "orchestrix-bench-"));
  const started: { stop(): Promise<void> }[] = [];
  try {
    const tavily = await startTavily();
    started.push({ stop: () => tavily.close() });
    const bare = await serve(await buildWorker("test/bench/bare.ts"), join(stateDir, "bare"), {});
    started.push(bare);
    const variables = { ADMIN_API_KEY, LOG_LEVEL: "error", TAVILY_API_KEY: TAVILY_KEY, TAVILY_BASE_URL: tavily.url };
    const ours = await serve(await buildWorker(), join(stateDir, "ours"), { ...variables, ...UNLIMITED });
    started.push(ours);
    await report(await measureAll(bare.url, ours.url));
  } finally {
    for (const server of started.reverse()) await server.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function serve(bundle: string, stateDir: string, variables: Record<string, string>): Promise<LocalServer> {
  const port = await findFreePort(HOST);
  return serveWorker({ bundle, host: HOST, port, stateDir, variables, onLog: ({ message }) => console.error(message) });
}

interface Row extends LoadResult {
  readonly name: string;
  readonly ratio: number;
}

async function measureAll(bareUrl: string, url: string): Promise<readonly Row[]> {
  const headers = { Authorization: `Bearer ${ADMIN_API_KEY}`, "Content-Type": "application/json" };
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { serverId: string; endpoint: string };
  };
  const { serverId } = await post("/mcp/servers", ECHO);
  const { endpoint } = await post(`/mcp/servers/${serverId}/deploy`, { ownerId: "bench" });
  await post("/search", QUERY);
  const cases: readonly (readonly [string, LoadTarget])[] = [
    ["bare Hono handler", { url: bareUrl, expectStatus: 200 }],
    ["GET /health", { url: `${url}/health`, expectStatus: 200 }],
    ["GET …/status", { url: `${url}/mcp/servers/${serverId}/status?ownerId=bench`, headers, expectStatus: 200 }],
    [
      "POST /search, cached",
      { url: `${url}/search`, method: "POST", headers, body: JSON.stringify(QUERY), expectStatus: 200 },
    ],
    ["POST /agents/…, 3 steps", { url: endpoint, method: "POST", headers, body: '{"a":1}', expectStatus: 200 }],
  ];
  const rows: Row[] = [];
  const [seconds, concurrency] = [Number(flags.seconds), Number(flags.concurrency)];
  for (const [name, target] of cases) {
    await measureLoad(target, concurrency, 1);
    const result = await measureLoad(target, concurrency, seconds);
    rows.push({ name, ...result, ratio: result.requestsPerSecond / (rows[0] ?? result).requestsPerSecond });
  }
  return rows;
}

async function report(rows: readonly Row[]): Promise<void> {
  await writeFile(join(ROOT, "dist/bench.json"), `${JSON.stringify(rows, null, 2)}\n`);
  if (flags.json) return console.log(JSON.stringify(rows));
  console.log(
    `${"".padEnd(26)}${["requests/s", "p50 ms", "p99 ms", "ratio", "unexpected"].map((h) => h.padStart(12)).join("")}`,
  );
  for (const { name, requestsPerSecond, p50Ms, p99Ms, ratio, unexpected } of rows) {
    const cells = [
      requestsPerSecond.toFixed(0),
      p50Ms.toFixed(2),
      p99Ms.toFixed(2),
      ratio.toFixed(2),
      String(unexpected),
    ];
    console.log(name.padEnd(26) + cells.map((cell) => cell.padStart(12)).join(""));
  }
}

await main();
process.exit(0);
