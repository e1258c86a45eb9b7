import { afterAll, expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createDeployScene, type DeployScene, OWNER, type Process } from "../../support/deploy-scene.ts";
import { underTime } from "../../support/deploy-steps.ts";
import { ECHO_API } from "../../support/graphs.ts";

const STEPS = ["claim", "create", "save", "log"] as const;
const FAULTS = [
  "target error",
  "target gone",
  "timeout",
  "answer lost",
  "database down",
  "database slow",
  "process killed",
] as const;
type Step = (typeof STEPS)[number];
type Fault = (typeof FAULTS)[number];

interface Outcome {
  /** What the caller got; null where the process died with its answer. */
  readonly answer: string;
  readonly state: string;
  readonly agents: number;
  readonly stateAfterReconcile: string;
  readonly agentsAfterReconcile: number;
}

const SLOW_MS = 400;
const CLAIM_ENDS_MS = 20_000;

/** What a process that was ended meets: from now on nothing that it does reaches anything. */
class Killed extends Error {
  override readonly name = "Killed";
}

function stepOf(operation: string, collection: string, update: string): Step | null {
  if (collection === "execution_logs" && operation === "insertOne") return "log";
  if (collection !== "servers" || operation !== "updateOne") return null;
  return update.includes("archestraAgentId") ? "save" : update.includes('"deploying"') ? "claim" : null;
}

/** Lets the fault happen at the step, once; a killed process stays dead, a host that is gone stays gone. */
function createFault(scene: DeployScene, step: Step, fault: Fault) {
  let armed = false;
  let dead = false;
  let hostGone = false;

  async function strikeDatabase(work: () => Promise<unknown>): Promise<unknown> {
    armed = false;
    if (fault === "database down") throw new StorageUnavailable("down");
    if (fault === "process killed") {
      dead = true;
      throw new Killed("killed");
    }
    if (fault === "database slow") await new Promise<void>((resolve) => scene.clock.after(SLOW_MS, resolve));
    const result = await work();
    if (fault === "answer lost" || fault === "timeout") throw new StorageUnavailable("the answer was lost");
    return result;
  }

  function wrap(documents: Documents): Documents {
    return new Proxy(documents, {
      get(target, name: keyof Documents) {
        return async (...args: [{ name: string }, ...unknown[]]) => {
          if (dead) throw new Killed("killed");
          const work = () => (target[name] as (...args: unknown[]) => Promise<unknown>)(...args);
          const hit = armed && stepOf(name, args[0].name, JSON.stringify(args[2] ?? null)) === step;
          return hit ? strikeDatabase(work) : work();
        };
      },
    });
  }

  function strikeHost(work: () => Response): Promise<Response> {
    armed = false;
    if (fault === "target error") return Promise.resolve(Response.json({ error: "quota used up" }, { status: 422 }));
    work();
    if (fault === "timeout") return new Promise(() => {});
    dead = fault === "process killed";
    hostGone = fault === "target gone";
    return Promise.reject(new TypeError("connection reset"));
  }

  if (step === "create") {
    scene.host.intercept = ({ method }, work) => {
      if (dead || hostGone) return Promise.reject(new TypeError("connection refused"));
      return armed && method === "POST" ? strikeHost(work) : undefined;
    };
  }
  return {
    wrap,
    arm() {
      armed = true;
    },
    /** The host is back, and whatever the dead process had under way is over. */
    lift() {
      scene.host.intercept = null;
    },
    isDead: () => dead,
  };
}

/** What makes no sense: the target has no part in the other steps, nor the database in `create`. */
function applies(step: Step, fault: Fault): boolean {
  if (fault === "target error" || fault === "target gone") return step === "create";
  if (fault === "database down" || fault === "database slow") return step !== "create";
  return true;
}

async function stateOf(worker: Process): Promise<string> {
  return (await worker.call("GET", "/mcp/servers/echo/status")).body.state;
}

async function play(step: Step, fault: Fault): Promise<Outcome> {
  const scene = createDeployScene();
  const { wrap, arm, lift, isDead } = createFault(scene, step, fault);
  const worker = scene.startProcess(wrap);
  await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
  await worker.settle();
  arm();
  const deploying = worker.call("POST", "/mcp/servers/echo/deploy", { ownerId: OWNER });
  const { status, body } = await underTime(scene, deploying);
  await underTime(scene, worker.settle());

  lift();
  const next = scene.startProcess();
  const state = await stateOf(next);
  const agents = scene.host.agents.size;
  await scene.clock.advance(CLAIM_ENDS_MS);
  expect((await next.call("POST", "/admin/jobs/reconcile-deployments")).status).toBe(200);
  await next.settle();
  const outcome = {
    answer: isDead() ? "none: the process is gone" : status === 200 ? "200" : `${status} ${body.code}`,
    state,
    agents,
    stateAfterReconcile: await stateOf(next),
    agentsAfterReconcile: scene.host.agents.size,
  };
  await expectRecordAndHostAgree(next, scene);
  return outcome;
}

/** A deployed server names the agent that the host has, a server that is not deployed can be deployed now. */
async function expectRecordAndHostAgree(worker: Process, scene: DeployScene): Promise<void> {
  const { body } = await worker.call("GET", "/mcp/servers/echo");
  const [agent] = scene.host.agents.values();
  expect(scene.host.agents.size).toBe(body.deployment.state === "deployed" ? 1 : 0);
  if (body.deployment.state === "deployed") return expect(body.archestraAgentId).toBe(agent?.agentId);
  expect(["draft", "failed"]).toContain(body.deployment.state);
  expect((await worker.call("POST", "/mcp/servers/echo/deploy", { ownerId: OWNER })).status).toBe(200);
  expect(scene.host.agents.size).toBe(1);
}

const CELLS = STEPS.flatMap((step) =>
  FAULTS.filter((fault) => applies(step, fault)).map((fault) => [step, fault] as const),
);
const seen: string[] = [];

test.each(CELLS)("at %s, %s: one agent or none, and record and target agree after reconcile", async (step, fault) => {
  const outcome = await play(step, fault);
  expect(outcome.agents).toBeLessThanOrEqual(1);
  expect(outcome.agentsAfterReconcile).toBeLessThanOrEqual(1);
  expect(["deployed", "failed", "draft"]).toContain(outcome.stateAfterReconcile);
  const { answer, state, agents, stateAfterReconcile, agentsAfterReconcile } = outcome;
  seen.push(
    [
      step.padEnd(7),
      fault.padEnd(15),
      answer.padEnd(28),
      state.padEnd(10),
      String(agents).padEnd(7),
      stateAfterReconcile.padEnd(10),
      agentsAfterReconcile,
    ].join(" "),
  );
});

afterAll(() => {
  const head = "step    fault           the caller got               state      agents  reconciled agents";
  console.log([head, ...seen].join("\n"));
});
