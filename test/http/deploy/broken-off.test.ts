import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createDeployScene, OWNER, type Process } from "../../support/deploy-scene.ts";
import { createHold, letRun, reconcile, underTime } from "../../support/deploy-steps.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { hookStore, type StoreCall } from "../../support/store-hooks.ts";

const PATH = "/mcp/servers/echo";
/** Longer than a claim lasts. */
const CLAIM_ENDS_MS = 20_000;

const marksRemoving = ({ operation, collection, args }: StoreCall) =>
  operation === "updateOne" && collection === "agent_bindings" && args.includes('"removing":true');

async function createScene(target: "edge" | "archestra") {
  const scene = createDeployScene();
  const worker = scene.startProcess();
  await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
  const deployed = await worker.call("POST", `${PATH}/deploy`, { ownerId: OWNER, target });
  expect(deployed.status).toBe(200);
  await worker.settle();
  return { ...scene, worker, agentId: String(deployed.body.agentId) };
}

const run = (worker: Process, agentId: string) => worker.call("POST", `/agents/${agentId}`, {});

test("an undeploy that ends half-way leaves no agent behind the one that the next deploy makes", async () => {
  const { worker, clock, startProcess, documents, agentId } = await createScene("edge");
  let ended = false;
  const dying = startProcess(hookStore({ endsAfter: (call) => (ended ||= marksRemoving(call)) }));
  void dying.call("DELETE", `${PATH}/deploy`, { ownerId: OWNER });
  await letRun(() => ended);
  expect((await run(worker, agentId)).status).toBe(200);
  await clock.advance(CLAIM_ENDS_MS);
  const again = await worker.call("POST", `${PATH}/deploy`, { ownerId: OWNER, target: "edge" });
  expect(again.status).toBe(200);
  expect(again.body.agentId).not.toBe(agentId);
  expect((await run(worker, agentId)).status).toBe(404);
  expect((await run(worker, again.body.agentId)).status).toBe(200);
  expect(documents.named("agents").map(({ _id }) => _id)).toEqual([again.body.agentId]);
});

test("an agent whose removal broke off goes before a create makes another one", async () => {
  const { worker, startProcess, documents, agentId } = await createScene("edge");
  let ended = false;
  const dying = startProcess(hookStore({ endsAfter: (call) => (ended ||= marksRemoving(call)) }));
  void dying.call("DELETE", `/mcp/agents/${agentId}`);
  await letRun(() => ended);
  const metadata = { createdBy: "elsewhere", serverId: "echo", createdAt: "2026-02-13T10:30:00.000Z", ownerId: OWNER };
  const body = { ...ECHO_API, description: "", inputSchema: { type: "object" }, metadata };
  const made = await worker.call("POST", "/mcp/agents", body);
  expect(made.status).toBe(201);
  expect((await run(worker, agentId)).status).toBe(404);
  expect(documents.named("agents").map(({ _id }) => _id)).toEqual([made.body.agentId]);
});

test("an undeploy that the store fails half-way leaves a deployed server, and says of its agent that it is there", async () => {
  const scene = await createScene("edge");
  const { worker, startProcess, agentId } = scene;
  const failing = startProcess(
    hookStore({
      before({ operation, collection }) {
        if (operation === "deleteOne" && collection === "agents") throw new StorageUnavailable("down");
      },
    }),
  );
  const undeployed = await underTime(scene, failing.call("DELETE", `${PATH}/deploy`, { ownerId: OWNER }));
  expect(undeployed.status).toBe(502);
  expect((await reconcile(scene, worker)).drifted).toEqual([]);
  expect((await run(worker, agentId)).status).toBe(200);
  expect((await worker.call("GET", `/mcp/agents?serverId=echo&ownerId=${OWNER}`)).body.agentId).toBe(agentId);
  expect((await worker.call("PUT", `${PATH}/deploy`, { ownerId: OWNER })).body.agentId).toBe(agentId);
  await worker.settle();
  expect((await reconcile(scene, worker)).drifted).toEqual([]);
  const { body } = await worker.call("GET", `${PATH}/status`);
  expect(body).toMatchObject({ state: "deployed", agentId, lastError: null });
  expect((await worker.call("DELETE", `${PATH}/deploy`, { ownerId: OWNER })).status).toBe(200);
  expect((await run(worker, agentId)).status).toBe(404);
});

test.each(["deploy", "undeploy"])(
  "a deploy elsewhere than the %s that broke off leaves no agent there",
  async (broken) => {
    const scene = createDeployScene();
    const { clock, startProcess, documents, host } = scene;
    const worker = startProcess();
    await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
    let ended = false;
    const path = `${PATH}/deploy`;
    if (broken === "deploy") {
      // Behind the agent, before the record says so.
      const wroteAgent = ({ operation, collection }: StoreCall) =>
        operation === "replaceOne" && collection === "agents";
      const dying = startProcess(hookStore({ endsAfter: (call) => (ended ||= wroteAgent(call)) }));
      void dying.call("POST", path, { ownerId: OWNER, target: "edge" });
    } else {
      // The process that deployed it ended before it wrote more than the record.
      const forgetful = startProcess(
        hookStore({ before: ({ collection }) => collection === "deployments" && new Promise(() => {}) }),
      );
      await forgetful.call("POST", path, { ownerId: OWNER, target: "edge" });
      const dying = startProcess(hookStore({ endsAfter: (call) => (ended ||= marksRemoving(call)) }));
      void dying.call("DELETE", path, { ownerId: OWNER });
    }
    await letRun(() => ended);
    expect(documents.named("agents")).toHaveLength(1);
    await clock.advance(CLAIM_ENDS_MS);
    expect((await worker.call("POST", path, { ownerId: OWNER, target: "archestra" })).status).toBe(200);
    await worker.settle();
    await reconcile(scene, worker);
    expect(documents.named("agents")).toEqual([]);
    expect(host.agents.size).toBe(1);
  },
);

test("a delete beside a deploy whose outcome is unknown is refused, and told again leaves no agent at the host", async () => {
  const scene = createDeployScene();
  const { host, startProcess, documents } = scene;
  const worker = startProcess();
  await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
  const { hold, release, isReached } = createHold();
  const deleting = startProcess(
    hookStore({
      before: ({ operation, collection }) => operation === "deleteOne" && collection === "servers" && hold(),
    }),
  );
  const deleted = deleting.call("DELETE", PATH);
  await letRun(isReached);
  host.intercept = ({ method }, work) => {
    if (method === "POST") work();
    return Promise.reject(new TypeError("the host went away"));
  };
  const deployed = await underTime(scene, worker.call("POST", `${PATH}/deploy`, { ownerId: OWNER }));
  expect(deployed.status).toBe(502);
  host.intercept = null;
  release();
  expect(await deleted).toMatchObject({ status: 409, body: { code: "DEPLOY_IN_PROGRESS" } });
  expect((await worker.call("DELETE", PATH)).status).toBe(204);
  expect(host.agents.size).toBe(1);
  expect((await reconcile(scene, worker)).removed).toEqual(["echo"]);
  expect(host.agents.size).toBe(0);
  expect(documents.named("servers")).toEqual([]);
});
