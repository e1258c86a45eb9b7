import { expect, test } from "vitest";
import { createDeployScene, OWNER } from "../../support/deploy-scene.ts";
import { ECHO_API } from "../../support/graphs.ts";

const SERVERS = 20;
const ROUNDS = 5;
const CALLS_PER_ROUND = 100;

/** The same sequence in every run: which server, which change, which process. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % sides;
  };
}

test("500 deploys, redeploys and undeploys of 20 servers by two processes: record and target agree at every quiet point", async () => {
  const { startProcess, host } = createDeployScene();
  const workers = [startProcess(), startProcess()] as const;
  const ids = Array.from({ length: SERVERS }, (_, i) => `server-${i}`);
  for (const serverId of ids) await workers[0].call("POST", "/mcp/servers", { ...ECHO_API, serverId, ownerId: OWNER });
  const roll = createDice(7);
  // The host takes its time, so that calls really cross.
  host.intercept = (_request, work) => new Promise((resolve) => setImmediate(() => resolve(work())));
  const answers = new Map<number, number>();

  for (let round = 0; round < ROUNDS; round++) {
    const calls = Array.from({ length: CALLS_PER_ROUND }, () => {
      const worker = workers[roll(2)] ?? workers[0];
      const path = `/mcp/servers/${ids[roll(SERVERS)]}/deploy`;
      const method = ["POST", "PUT", "DELETE"][roll(3)] ?? "POST";
      return worker.call(method, path, { ownerId: OWNER });
    });
    for (const { status, body } of await Promise.all(calls)) {
      expect([200, 400, 409], JSON.stringify(body)).toContain(status);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    }
    await Promise.all(workers.map((worker) => worker.settle()));

    for (const serverId of ids) {
      const { body } = await workers[1].call("GET", `/mcp/servers/${serverId}`);
      const agent = host.agents.get(`${OWNER}/${serverId}`);
      expect(["draft", "deployed"], serverId).toContain(body.deployment.state);
      expect(body.archestraAgentId, serverId).toBe(agent?.agentId ?? null);
      expect(body.deployment.state === "deployed", serverId).toBe(agent !== undefined);
    }
  }
  expect(answers.get(200)).toBeGreaterThan(SERVERS);
  expect([...answers.values()].reduce((sum, count) => sum + count, 0)).toBe(ROUNDS * CALLS_PER_ROUND);
});
