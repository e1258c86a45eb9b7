import { afterEach, expect, test } from "vitest";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import type { Behaviour, Which } from "../../support/targets/faulty-server.ts";
import { agentOf, CALL } from "../../support/targets/fixtures.ts";
import {
  type PlatformScene,
  startPlatformScene,
  TIMEOUT_MS,
  TOKEN_PREFIX,
} from "../../support/targets/platform-scene.ts";

const AGENT = agentOf();
const SERVER = AGENT.metadata;
const ONE = { items: 1, installs: 1, gateways: 1, edge: 1 };
const NONE = { items: 0, installs: 0, gateways: 0, edge: 0 };

const STEPS = {
  "the catalog's list": { method: "GET", path: /^\/api\/internal_mcp_catalog$/ },
  registering: { method: "POST", path: /^\/api\/internal_mcp_catalog$/ },
  installing: { method: "POST", path: /^\/api\/mcp_server$/ },
  "the server's tools": { method: "GET", path: /^\/api\/mcp_server\/[^/]+\/tools$/ },
  "the gateways' list": { method: "GET", path: /^\/api\/agents\?/ },
  "making the gateway": { method: "POST", path: /^\/api\/agents$/ },
  assigning: { method: "POST", path: /bulk-assign$/ },
  "the gateway's tools": { method: "GET", path: /^\/api\/agents\/[^/]+\/tools$/ },
  tidying: { method: "DELETE", path: /^\/api\/agents\/[^/]+\/tools\// },
  proving: { method: "POST", path: /^\/v1\/mcp\// },
} satisfies Readonly<Record<string, Which>>;

/** Met once, these are got over within one call. */
const PASSING: readonly Behaviour[] = [
  "drop",
  { workThen: "drop" },
  500,
  { workThen: 500 },
  { workThen: 504 },
  { status: 429, headers: { "Retry-After": "1" }, body: {} },
];

/** After these the call fails: the platform says it is done, in words that are none. */
const SENSELESS: readonly Behaviour[] = ["garbage", "html", "huge", "redirect", 400, 401, { workThen: "garbage" }];

const scenes: PlatformScene[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.close();
});

async function start(version: "1.3" | "1.4", clock?: FakeClock): Promise<PlatformScene> {
  const scene = await startPlatformScene({ version }, clock);
  scenes.push(scene);
  return scene;
}

function expectNoSecrets(outcome: unknown, scene: PlatformScene): void {
  const shown = JSON.stringify(outcome);
  for (const secret of [scene.archestra.apiKey, "archestra_feed", TOKEN_PREFIX, "s3cr3t", "select"]) {
    expect(shown).not.toContain(secret);
  }
}

for (const version of ["1.3", "1.4"] as const) {
  test.each(Object.entries(STEPS))(
    `on ${version} a passing fault in %s is got over, and one of each is made`,
    async (_step, which) => {
      for (const fault of PASSING) {
        const scene = await start(version);
        scene.archestra.script(which, fault);
        const created = await scene.target.create(CALL, AGENT);
        expect([fault, created]).toMatchObject([fault, { ok: true }]);
        expect(scene.counts()).toEqual(ONE);
        expect(await scene.newTarget().find(CALL, SERVER)).toEqual(created);
      }
    },
  );
}

test.each(Object.entries(STEPS))("a senseless answer in %s never makes a second of anything", async (_step, which) => {
  for (const fault of SENSELESS) {
    const scene = await start("1.3");
    scene.archestra.script(which, fault);
    const outcome = await scene.target.create(CALL, AGENT);
    expectNoSecrets(outcome, scene);
    expect(scene.counts().gateways).toBeLessThanOrEqual(1);
    expect(await scene.target.create(CALL, AGENT)).toMatchObject({ ok: true });
    expect(scene.counts()).toEqual(ONE);
    expect(await scene.target.remove(CALL, null, SERVER)).toEqual({ ok: true, value: true });
    expect(scene.counts()).toEqual(NONE);
  }
});

test.each(["drop", 500, "garbage", "html", 401, "redirect"] as Behaviour[])(
  "%j, answered always, fails every method, and what there was is there still",
  async (fault) => {
    const scene = await start("1.4");
    const created = await scene.target.create(CALL, AGENT);
    const agentId = created.ok ? created.value.agentId : "";
    scene.archestra.always(fault);
    for (const outcome of [
      await scene.target.create(CALL, AGENT),
      await scene.target.replace(CALL, agentId, AGENT),
      await scene.target.find(CALL, SERVER),
      await scene.target.remove(CALL, agentId, SERVER),
    ]) {
      expect(outcome).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
      expectNoSecrets(outcome, scene);
    }
    expect(scene.counts()).toEqual(ONE);
    scene.archestra.always("ok");
    expect(await scene.target.remove(CALL, agentId, SERVER)).toEqual({ ok: true, value: true });
    expect(scene.counts()).toEqual(NONE);
  },
);

test.each(PASSING)("a redeploy gets over %j while the tools are read again", async (fault) => {
  const scene = await start("1.3");
  const created = await scene.target.create(CALL, AGENT);
  const agentId = created.ok ? created.value.agentId : "";
  scene.archestra.script({ method: "POST", path: /reload-tools$/ }, fault);
  expect(await scene.target.replace(CALL, agentId, agentOf({ version: 2 }, "Other"))).toEqual(created);
  expect(scene.archestra.gateways()).toMatchObject([{ tools: ["mcp_1__other"] }]);
});

test("our own runtime failing fails the deploy before Archestra hears of it", async () => {
  const scene = await start("1.3");
  scene.edge.always(500);
  expect(await scene.target.create(CALL, AGENT)).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
  expect(scene.archestra.requests).toEqual([]);
});

test.each([
  ["registering", { items: 1, installs: 0, gateways: 0, edge: 1 }],
  ["installing", { items: 1, installs: 1, gateways: 0, edge: 1 }],
  ["making the gateway", { items: 1, installs: 1, gateways: 1, edge: 1 }],
] as const)("what %s did without ever answering is found, or left to the next try", async (step, counts) => {
  const clock = createFakeClock();
  const scene = await start("1.3", clock);
  const which = STEPS[step];
  scene.archestra.script(which, { workThen: "hang" });
  const outcome = scene.target.create(CALL, AGENT);
  await scene.archestra.arrived(which);
  while (JSON.stringify(scene.counts()) !== JSON.stringify(counts))
    await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(TIMEOUT_MS);
  expect(await outcome).toMatchObject({ ok: false, error: { code: "UPSTREAM_TIMEOUT" } });
  expect(await scene.newTarget().create(CALL, AGENT)).toMatchObject({ ok: true });
  expect(scene.counts()).toEqual(ONE);
});

test("what a removal leaves when it breaks off is taken by the next", async () => {
  for (const path of [/^\/api\/agents\//, /^\/api\/internal_mcp_catalog\//]) {
    const scene = await start("1.3");
    await scene.target.create(CALL, AGENT);
    scene.archestra.script({ method: "DELETE", path }, 500, 500);
    expect(await scene.target.remove(CALL, null, SERVER)).toMatchObject({ ok: false });
    expect(await scene.target.remove(CALL, null, SERVER)).toEqual({ ok: true, value: true });
    expect(scene.counts()).toEqual(NONE);
  }
});

test("a removal whose answers are lost is a removal", async () => {
  const scene = await start("1.4");
  await scene.target.create(CALL, AGENT);
  scene.archestra.script("DELETE", { workThen: "drop" }, "ok", { workThen: 500 }, "ok");
  expect(await scene.target.remove(CALL, null, SERVER)).toEqual({ ok: true, value: true });
  expect(scene.counts()).toEqual(NONE);
});
