import { afterEach, expect, test } from "vitest";
import { systemRandom } from "../../../src/core/ids.ts";
import { createAgentsContractTarget } from "../../../src/deploy/targets/agents-contract.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { type AgentsHost, type AgentsHostOptions, startAgentsHost } from "../../support/targets/agents-host.ts";
import type { Behaviour } from "../../support/targets/faulty-server.ts";
import { agentOf, CALL, createFastClock, expectTraced, TRACED } from "../../support/targets/fixtures.ts";

const KEY = "Bearer key-0123456789abcdef";
const AGENT = agentOf();
const SERVER = AGENT.metadata;
/** Long enough for any number of requests on this machine, at the fast clock's pace three seconds. */
const TIMEOUT_MS = 60_000;

const hosts: AgentsHost[] = [];

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function startScene(options: AgentsHostOptions = {}, clock = createFastClock()) {
  const host = await startAgentsHost({ authorization: KEY, ...options });
  hosts.push(host);
  const target = createAgentsContractTarget({
    name: "archestra",
    fetch,
    collectionUrl: () => host.collectionUrl,
    authorization: KEY,
    clock,
    random: systemRandom,
    timeoutMs: TIMEOUT_MS,
  });
  const methods = () => host.requests.map(({ method }) => method);
  return { host, target, methods };
}

test("an agent is created, found, replaced and removed", async () => {
  const { host, target, methods } = await startScene();
  const created = await target.create(CALL, AGENT);
  expect(created).toEqual({
    ok: true,
    value: {
      agentId: "agent_1",
      endpoint: `${host.url}/agents/agent_1`,
      dashboardUrl: `${host.url}/dashboard/agent_1`,
    },
  });
  expect(await target.find(CALL, SERVER)).toEqual(created);
  expect(await target.replace(CALL, "agent_1", agentOf({ version: 2 }, "Other"))).toEqual(created);
  expect(host.agents()).toMatchObject([{ agentId: "agent_1", graph: { name: "Other", metadata: { version: 2 } } }]);
  expect(await target.health(CALL)).toEqual({ ok: true, value: null });
  expect(await target.remove(CALL, "agent_1", SERVER)).toEqual({ ok: true, value: true });
  expect(await target.remove(CALL, "agent_1", SERVER)).toEqual({ ok: true, value: false });
  expect(await target.find(CALL, SERVER)).toEqual({ ok: true, value: null });
  expect(await target.replace(CALL, "agent_1", AGENT)).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  expect(methods()).toEqual(["POST", "GET", "PUT", "GET", "DELETE", "DELETE", "GET", "PUT"]);
});

test("every request is behind the caller's span, repeats and look-ups too", async () => {
  const { host, target, methods } = await startScene({ repeats: "careless" });
  host.script("POST", 503);
  await target.create(TRACED, AGENT);
  await target.find(TRACED, SERVER);
  host.script("PUT", "drop", { workThen: "empty" });
  await target.replace(TRACED, "agent_1", AGENT);
  await target.health(TRACED);
  await target.remove(TRACED, null, SERVER);
  expect(methods()).toEqual(["POST", "GET", "POST", "GET", "PUT", "PUT", "GET", "GET", "GET", "DELETE"]);
  expectTraced(host.requests);
});

test.each([
  ["no trace", null],
  ["a wrong one", { traceparent: "00-a-b-01", tracestate: "vendor=1" }],
])("a caller who sent %s is in none", async (_what, trace) => {
  const { host, target } = await startScene();
  await target.create({ ...CALL, trace: () => trace }, AGENT);
  expect(host.requests[0]?.headers).not.toHaveProperty("traceparent");
  expect(host.requests[0]?.headers).not.toHaveProperty("tracestate");
});

const FAULTS: readonly Behaviour[] = [
  "drop",
  { workThen: "drop" },
  { workThen: "garbage" },
  { workThen: "html" },
  { workThen: "huge" },
  { workThen: "empty" },
  500,
  { workThen: 500 },
  503,
  { workThen: 504 },
  429,
  { status: 429, headers: { "Retry-After": "1" }, body: { message: "slow down" } },
  { status: 503, headers: { "Retry-After": "0" }, body: "<html>busy</html>" },
];

test.each(FAULTS)("one agent comes of a create that meets %j once, at a host that would make two", async (fault) => {
  for (const lookUp of ["object", "items", "array", "all"] as const) {
    const { host, target } = await startScene({ repeats: "careless", lookUp });
    host.script("POST", fault);
    expect(await target.create(CALL, AGENT)).toMatchObject({ ok: true, value: { agentId: "agent_1" } });
    expect(host.agents()).toHaveLength(1);
  }
});

test.each([...FAULTS, "garbage", "html", "huge", "redirect", 400, 401, 404] as Behaviour[])(
  "at most one agent comes of a create that always meets %j, and what is there is found",
  async (fault) => {
    const { host, target } = await startScene({ repeats: "careless" });
    host.script("POST", fault, fault, fault, fault);
    const created = await target.create(CALL, AGENT);
    expect(host.agents().length).toBeLessThanOrEqual(1);
    expect(created.ok).toBe(host.agents().length === 1);
    expect(JSON.stringify(created)).not.toContain("key-0123456789abcdef");
  },
);

test.each(["drop", 500, 429] as Behaviour[])(
  "nothing is posted again where the look-up meets %j too",
  async (fault) => {
    const { host, target, methods } = await startScene();
    host.script("POST", { workThen: "drop" });
    host.script("GET", fault, fault);
    expect(await target.create(CALL, AGENT)).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
    expect(methods()).toEqual(["POST", "GET", "GET"]);
    expect(host.agents()).toHaveLength(1);
    // Nobody knows of it yet: whoever tries again is given it.
    expect(await target.create(CALL, AGENT)).toMatchObject({ ok: true, value: { agentId: "agent_1" } });
    expect(host.agents()).toHaveLength(1);
  },
);

test("nothing is posted again to a host without look-ups", async () => {
  const { host, target, methods } = await startScene({ repeats: "careless", lookUp: "none" });
  host.script("POST", { workThen: "drop" });
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: false });
  expect(methods()).toEqual(["POST", "GET"]);
});

test("a host that refuses a second agent is asked for the first", async () => {
  const { host, target } = await startScene({ repeats: "conflict" });
  host.seed(agentOf({ version: 1 }));
  expect(await target.create(CALL, agentOf({ version: 3 }))).toMatchObject({ ok: true, value: { agentId: "agent_1" } });
  expect(host.agents()).toMatchObject([{ graph: { metadata: { version: 3 } } }]);
});

test.each([
  ...FAULTS.filter((fault) => typeof fault !== "object" || !("workThen" in fault)),
  { workThen: "drop" },
] as Behaviour[])("a replace, a removal and a look-up get over %j", async (fault) => {
  const { host, target } = await startScene();
  const { agentId } = host.seed(AGENT);
  host.script("PUT", fault);
  host.script("GET", fault);
  host.script("DELETE", fault);
  expect(await target.replace(CALL, agentId, agentOf({ version: 2 }))).toMatchObject({ ok: true });
  expect(await target.find(CALL, SERVER)).toMatchObject({ ok: true, value: { agentId } });
  expect(await target.remove(CALL, agentId, SERVER)).toEqual({ ok: true, value: true });
  expect(host.agents()).toEqual([]);
});

test.each(["garbage", "html", "huge", "redirect", 400, 401, 500, "drop"] as Behaviour[])(
  "%j, answered always, fails every method and changes nothing",
  async (fault) => {
    const { host, target } = await startScene();
    const { agentId } = host.seed(AGENT);
    host.always(fault);
    const outcomes = [
      await target.create(CALL, AGENT),
      await target.replace(CALL, agentId, AGENT),
      await target.find(CALL, SERVER),
    ];
    for (const outcome of outcomes) expect(outcome).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
    expect(JSON.stringify(outcomes)).not.toContain("key-0123456789abcdef");
    expect(host.agents()).toHaveLength(1);
    expect(host.requests.length).toBeLessThanOrEqual(8);
  },
);

test("a key does not follow a redirect", async () => {
  const { host, target } = await startScene();
  host.always("redirect");
  expect(await target.create(CALL, AGENT)).toMatchObject({
    ok: false,
    error: { detail: "the target archestra failed: it redirects (307), and a key is not sent elsewhere" },
  });
  expect(host.requests.map(({ path }) => path)).not.toContain("/elsewhere");
});

test("an agent whose making was never answered is found after the deadline of the POST", async () => {
  const clock = createFakeClock();
  const { host, target, methods } = await startScene({ repeats: "careless" }, clock);
  host.script("POST", { workThen: "hang" });
  const outcome = target.create(CALL, AGENT);
  await host.arrived("POST");
  await clock.advance(TIMEOUT_MS * 0.75);
  await clock.advance(1_000);
  expect(await outcome).toMatchObject({ ok: true, value: { agentId: "agent_1" } });
  expect(methods()).toEqual(["POST", "GET"]);
});

test("owners with a server of the same name have an agent each, and find their own", async () => {
  const { host, target } = await startScene({ lookUp: "all" });
  const mine = await target.create(CALL, AGENT);
  const theirs = await target.create(CALL, agentOf({ ownerId: "user-9" }));
  expect(host.agents()).toHaveLength(2);
  expect(await target.find(CALL, SERVER)).toEqual(mine);
  expect(await target.find(CALL, { serverId: "mcp_1", ownerId: "user-9" })).toEqual(theirs);
});
