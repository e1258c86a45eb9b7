import { expect, test } from "vitest";
import { createDeployScene, OWNER } from "../../support/deploy-scene.ts";
import { createHold, letRun, reconcile, underTime } from "../../support/deploy-steps.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { hookStore, type StoreCall } from "../../support/store-hooks.ts";

const PATH = "/mcp/servers/echo";
/** Longer than a claim lasts. */
const CLAIM_ENDS_MS = 20_000;
/** Longer than what may still come is waited for. */
const LATE_MS = 601_000;
/** Entries of the ledger are looked at this often where nothing is known to be wrong. */
const CHECKED_HOURLY_MS = 3_600_001;

async function createScene() {
  const scene = createDeployScene();
  const worker = scene.startProcess();
  await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
  await worker.settle();
  return { ...scene, worker };
}

type Scene = Awaited<ReturnType<typeof createScene>>;

/** The host takes a request for an agent, says nothing, and makes the agent when it is told to. */
function slowDown(host: Scene["host"]) {
  const begun: (() => unknown)[] = [];
  host.intercept = ({ method }, work) => {
    if (method !== "POST") return undefined;
    begun.push(work);
    return new Promise(() => {});
  };
  return {
    isAsked: () => begun.length > 0,
    catchUp() {
      for (const work of begun) work();
    },
  };
}

/** The record is gone and the agent came after that: it is found, and nothing is left in the end. */
async function expectRemoved(scene: Scene): Promise<void> {
  const { worker, host, clock, documents } = scene;
  expect(documents.named("servers")).toEqual([]);
  expect(host.agents.size).toBe(1);
  host.intercept = null;
  expect((await reconcile(scene, worker)).removed).toEqual(["echo"]);
  expect(host.agents.size).toBe(0);
  await clock.advance(LATE_MS);
  await reconcile(scene, worker);
  expect(documents.named("deployments")).toEqual([]);
}

test("an agent that the host makes long after the deploy failed, its rollback and the delete is removed", async () => {
  const scene = await createScene();
  const { worker, host } = scene;
  const slow = slowDown(host);
  const deployed = await underTime(scene, worker.call("POST", `${PATH}/deploy`, { ownerId: OWNER }));
  expect(deployed.status).toBe(504);
  expect((await reconcile(scene, worker)).rolledBack).toEqual(["echo"]);
  const { body } = await worker.call("GET", `${PATH}/status`);
  expect(body).toMatchObject({
    state: "failed",
    target: "archestra",
    lastError: expect.stringContaining("deploy again"),
  });
  expect((await worker.call("DELETE", PATH)).status).toBe(204);
  slow.catchUp();
  await expectRemoved(scene);
});

/** A deploy whose process ends while the host is slow to make its agent, and whose claim has run out. */
async function dieAtSlowHost({ host, clock, startProcess }: Awaited<ReturnType<typeof createScene>>) {
  const slow = slowDown(host);
  const dying = startProcess(hookStore({ before: () => slow.isAsked() && new Promise(() => {}) }));
  void dying.call("POST", `${PATH}/deploy`, { ownerId: OWNER });
  await letRun(slow.isAsked);
  await clock.advance(CLAIM_ENDS_MS);
  return slow;
}

test("an agent that the host makes for a process that ended is removed too", async () => {
  const scene = await createScene();
  const { worker } = scene;
  const slow = await dieAtSlowHost(scene);
  expect((await reconcile(scene, worker)).rolledBack).toEqual(["echo"]);
  expect((await worker.call("DELETE", PATH)).status).toBe(204);
  slow.catchUp();
  await expectRemoved(scene);
});

test("what a deploy makes that lost its claim before it came to the host is removed", async () => {
  const scene = await createScene();
  const { worker, clock, startProcess } = scene;
  const { hold, release, isReached } = createHold();
  const takesClaim = ({ collection, args }: StoreCall) => collection === "servers" && args.includes('"deploying"');
  const slow = startProcess(hookStore({ after: (call) => takesClaim(call) && hold() }));
  const deploying = slow.call("POST", `${PATH}/deploy`, { ownerId: OWNER });
  await letRun(isReached);
  await clock.advance(CLAIM_ENDS_MS);
  expect((await reconcile(scene, worker)).rolledBack).toEqual(["echo"]);
  expect((await worker.call("DELETE", PATH)).status).toBe(204);
  // The entry that the rollback left is over by now.
  await clock.advance(LATE_MS);
  await reconcile(scene, worker);
  release();
  expect(await deploying).toMatchObject({ status: 409, body: { code: "DEPLOY_IN_PROGRESS" } });
  await slow.settle();
  await expectRemoved(scene);
});

test("an undeploy beside a deploy that is at work still leaves no agent that the deploy makes afterwards", async () => {
  const scene = await createScene();
  const { worker } = scene;
  const slow = await dieAtSlowHost(scene);
  expect((await worker.call("DELETE", `${PATH}?undeploy=true`)).status).toBe(204);
  await worker.settle();
  slow.catchUp();
  await expectRemoved(scene);
});

test("an agent of the edge that a slow store writes after the delete is removed", async () => {
  const scene = await createScene();
  const { worker, startProcess, documents } = scene;
  const { hold, release, isReached } = createHold();
  const writesAgent = ({ operation, collection }: StoreCall) => operation === "replaceOne" && collection === "agents";
  const slow = startProcess(hookStore({ before: (call) => writesAgent(call) && hold() }));
  const deploying = slow.call("POST", `${PATH}/deploy`, { ownerId: OWNER, target: "edge" });
  await letRun(isReached);
  expect((await underTime(scene, deploying)).status).toBe(504);
  expect((await reconcile(scene, worker)).rolledBack).toEqual(["echo"]);
  expect((await worker.call("DELETE", PATH)).status).toBe(204);
  release();
  await slow.settle();
  await letRun(() => documents.named("agents").length === 1);
  expect((await reconcile(scene, worker)).removed).toEqual(["echo"]);
  expect(documents.named("agents")).toEqual([]);
});

test("servers whose host is away, however many, do not keep another target's agent from being removed", {
  timeout: 60_000,
}, async () => {
  const scene = await createScene();
  const { worker, host, documents } = scene;
  expect((await worker.call("POST", `${PATH}/deploy`, { ownerId: OWNER, target: "edge" })).status).toBe(200);
  await worker.settle();
  await documents.deleteOne({ kind: "system", name: "servers", partition: "any" }, { serverId: "echo" });
  host.intercept = () => Promise.reject(new TypeError("connection refused"));
  const failing = Array.from({ length: 101 }, async (_, n) => {
    const serverId = `away-${n}`;
    await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId, ownerId: OWNER });
    return worker.call("POST", `/mcp/servers/${serverId}/deploy`, { ownerId: OWNER });
  });
  await underTime(scene, Promise.all(failing));
  await underTime(scene, worker.settle());
  expect(documents.named("deployments")).toHaveLength(102);
  await scene.clock.advance(CHECKED_HOURLY_MS);
  for (const _run of ["all of the others", "the last of them, and this one"]) {
    await underTime(scene, worker.jobs["reconcile-deployments"]({ thorough: false }));
    await scene.clock.advance(300_000);
  }
  expect(documents.named("agents")).toEqual([]);
});
