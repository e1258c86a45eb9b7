import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { get } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "../../scripts/build.ts";
import { ECHO_API, SIGNUP_API } from "../support/graphs.ts";
import { call, makeStateDir, start, UNLIMITED } from "../support/launched.ts";
import { startTavily, TAVILY_KEY } from "../support/providers/tavily.ts";

/** The status of a request that comes from another address. */
function getFrom(localAddress: string, url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: "Bearer wrong" };
    get(url, { localAddress, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once("error", reject);
  });
}

function runScript(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

test("the demo goes through every step and ends with 0", async () => {
  const { code, stdout, stderr } = await runScript(["scripts/demo.ts", "--json"]);
  expect(code, stdout + stderr).toBe(0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ ok: true });
  expect(lines.at(-1).seconds).toBeLessThan(30);
  const steps = lines.slice(0, -1);
  expect(steps).toHaveLength(13);
  expect(steps.every((step: { ok: boolean }) => step.ok)).toBe(true);
});

test("what was deployed is still deployed, and answers, after a stop, a crash and a start", async () => {
  const stateDir = await makeStateDir();
  const first = await start(stateDir);
  const ownerId = "user-123";
  await call(first, "POST", "/mcp/servers", { ...SIGNUP_API, serverId: "signup", ownerId });
  const deployed = await call(first, "POST", "/mcp/servers/signup/deploy", { ownerId });
  expect(deployed.status).toBe(200);
  const { pathname } = new URL(deployed.body.endpoint);
  const user = (n: number) => ({ email: `user${n}@example.com`, password: "correct horse battery" });
  expect((await call(first, "POST", pathname, user(1))).status).toBe(200);
  await first.stop();

  const second = await start(stateDir);
  expect(second.adminApiKey).toBe(first.adminApiKey);
  const status = await call(second, "GET", "/mcp/servers/signup/status");
  expect(status.body).toMatchObject({ state: "deployed", agentId: deployed.body.agentId });
  expect((await call(second, "POST", pathname, user(1))).status).toBe(409);
  expect((await call(second, "POST", pathname, user(2))).status).toBe(200);
  await second.kill();

  const third = await start(stateDir);
  expect((await call(third, "POST", pathname, user(2))).status).toBe(409);
  expect((await call(third, "POST", pathname, user(3))).status).toBe(200);
});

test("of 200 deploys over HTTP at once one makes the agent", async () => {
  const server = await start(await makeStateDir(), UNLIMITED);
  const ownerId = "user-123";
  await call(server, "POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId });
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => call(server, "POST", "/mcp/servers/echo/deploy", { ownerId })),
  );
  const codes = answers.map(({ status, body }) => (status === 200 ? "deployed" : body.code));
  expect(codes.filter((code) => code === "deployed")).toHaveLength(1);
  expect(codes.filter((code) => ["DEPLOY_IN_PROGRESS", "ALREADY_DEPLOYED"].includes(code))).toHaveLength(199);
});

test("a search goes to Tavily with its key, and the index answers when Tavily is gone", async () => {
  const tavily = await startTavily();
  onTestFinished(() => tavily.close());
  const server = await start(await makeStateDir(), { TAVILY_API_KEY: TAVILY_KEY, TAVILY_BASE_URL: tavily.url });
  const first = await call(server, "POST", "/search", { query: "durable objects storage" });
  expect(first.status).toBe(200);
  expect(first.body).toMatchObject({ provider: "tavily", degraded: false, cache: { status: "miss" } });
  const second = await call(server, "POST", "/search", { query: "durable objects storage" });
  expect(second.body.cache.status).toBe("l1");
  expect(second.headers.get("cache-status")).toContain("orchestrix-l1; hit");
  expect(tavily.calls).toHaveLength(1);
  await tavily.close();
  const third = await call(server, "POST", "/search", { query: "durable objects storage", cache: "bypass" });
  expect(third.status).toBe(200);
  expect(third.body).toMatchObject({ provider: "index", degraded: true });
  expect(third.body.attempts[0]).toMatchObject({ provider: "tavily", outcome: "failed" });
  expect(server.output()).not.toContain(TAVILY_KEY);
});

test("callers are told apart by their connection, whatever address they claim, unless a proxy is trusted", async () => {
  const limits = { RATE_LIMIT_PER_MINUTE: "3" };
  const statusesOf = async (url: string) => {
    const statuses = [];
    for (let n = 0; n < 5; n++) {
      const headers = {
        Authorization: "Bearer wrong",
        "CF-Connecting-IP": `203.0.113.${n}`,
        "MF-CF-Blob": `{"clientIp":"${n}"}`,
      };
      statuses.push((await fetch(`${url}/mcp/servers`, { headers })).status);
    }
    return statuses;
  };
  const alone = await start(await makeStateDir(), limits);
  expect(await statusesOf(alone.url)).toEqual([401, 401, 401, 429, 429]);
  // Another address of this machine has its own bucket.
  const elsewhere = await getFrom("127.0.0.2", `${alone.url}/mcp/servers`);
  expect(elsewhere).toBe(401);
  const behindProxy = await start(await makeStateDir(), { ...limits, TRUST_CF_CONNECTING_IP: "on" });
  expect(await statusesOf(behindProxy.url)).toEqual([401, 401, 401, 401, 401]);
});

test("a graph sees no address that a caller made up", async () => {
  const server = await start(await makeStateDir());
  const ownerId = "user-123";
  const config = { body: { seen: "{{request.headers.cf-connecting-ip?}}" } };
  const graph = { tools: [{ toolId: "response", name: "response", config }], executionOrder: ["response"] };
  await call(server, "POST", "/mcp/servers", { name: "Seen", serverId: "seen", access: "public", ...graph, ownerId });
  const { body } = await call(server, "POST", "/mcp/servers/seen/deploy", { ownerId });
  const headers = { "CF-Connecting-IP": "203.0.113.1" };
  const answer = await fetch(body.endpoint, { method: "POST", headers });
  expect(await answer.json()).toEqual({});
});

test("a Host that is none is told so on every route, and stands in no answer", async () => {
  const server = await start(await makeStateDir());
  for (const path of ["/health", "/mcp", "/agents/agent_00000000000000000000000000/mcp"]) {
    for (const host of ["ev il", 'a"b', "user@host", "a?b", "\u00e9", "host:port"]) {
      const { status, text } = await sendRaw(server.url, [`POST ${path} HTTP/1.1`, `Host: ${host}`]);
      expect(status, `${path} of ${host}`).toBe(400);
      expect(text).toContain('"detail":"Host: must be the name or address of a host"');
      expect(text).not.toContain(host);
    }
  }
  for (const host of ["localhost", "LOCALHOST:80", "[::1]:8787", "127.0.0.1", "a_b.example-c.org."]) {
    const { status } = await sendRaw(server.url, ["GET /health HTTP/1.1", `Host: ${host}`]);
    expect(status, host).toBe(200);
  }
});

/** As no client of this runtime would send it. */
async function sendRaw(url: string, head: readonly string[]): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write([...head, "Content-Length: 0", "Connection: close", "", ""].join("\r\n"));
  const text = await readText(socket);
  return { status: Number(text.split(" ")[1]), text };
}

test("a first start makes its secrets in a file that only its owner reads, and keeps them", async () => {
  const stateDir = await makeStateDir();
  const server = await start(stateDir);
  const file = join(stateDir, ".dev.vars");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(file, "utf8");
  expect(text).toContain(`ADMIN_API_KEY="${server.adminApiKey}"`);
  expect(text).toMatch(/ENCRYPTION_KEY="[A-Za-z0-9+/]{43}="/);
});

test("a malformed variable stops the start with its name and what is allowed, not its value", async () => {
  const stateDir = await makeStateDir();
  const { code, stderr } = await runScript(["scripts/start.ts", "--vars", join(stateDir, ".dev.vars")], {
    RATE_LIMIT_BURST: "plenty-of-it",
  });
  expect(code).toBe(1);
  expect(stderr).toContain("RATE_LIMIT_BURST: a whole number from 1");
  expect(stderr).not.toContain("plenty-of-it");
});

test.each([
  ["HOST", "nonsense.invalid", "HOST: an address of this machine"],
  ["STATE_DIR", join(ROOT, "package.json"), "STATE_DIR: a folder to write in"],
])("a %s that cannot be stops the start with its name and what is allowed", async (name, value, said) => {
  const stateDir = await makeStateDir();
  const own = { HOST: "127.0.0.1", PORT: "8787", STATE_DIR: stateDir, [name]: value };
  const { code, stderr } = await runScript(["scripts/start.ts", "--vars", join(stateDir, ".dev.vars")], own);
  expect([code, stderr.split(value).length]).toEqual([1, 1]);
  expect(stderr).toContain(said);
});

test("a port that is taken is named", async () => {
  const stateDir = await makeStateDir();
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, "127.0.0.1", () => {
      const address = holder.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  onTestFinished(() => new Promise<void>((resolve) => holder.close(() => resolve())));
  const { code, stderr } = await runScript(["scripts/start.ts", "--vars", join(stateDir, ".dev.vars")], {
    PORT: String(port),
    STATE_DIR: stateDir,
  });
  expect(code).toBe(1);
  expect(stderr).toContain(`port ${port} is in use`);
});

test.each(["start", "demo", "check"])("%s tells how it is used", async (script) => {
  const { code, stdout } = await runScript([`scripts/${script}.ts`, "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain(`npm ${script === "start" ? "start" : `run ${script}`}`);
});
