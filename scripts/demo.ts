import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createDemoSteps } from "./demo-steps.ts";
import { readDevVars } from "./dev-vars.ts";
import { launch } from "./launch.ts";

const HELP = `Shows the main job from start to end, on a free port and with a state folder that is thrown away.

Usage: npm run demo [-- options]

Options
  --json  print one JSON object for each step and one for the end
  --help  print this`;

/** Nothing of it depends on the internet: its search is answered by the embedded index. */
const OFFLINE = { LOG_LEVEL: "warn", SEARCH_KEYLESS: "off" };

interface StepReport {
  readonly step: number;
  readonly title: string;
  readonly ok: boolean;
  readonly durationMs: number;
  readonly result: string;
}

async function main(): Promise<boolean> {
  const { values: flags } = parseArgs({ options: { json: { type: "boolean" }, help: { type: "boolean" } } });
  if (flags.help) {
    console.log(HELP);
    return true;
  }
  const report = flags.json ? reportAsJson : reportForPeople;
  const startedAt = performance.now();
  const stateDir = await mkdtemp(join(tmpdir(), "orchestrix-demo-"));
  try {
    if (!flags.json) console.log("\nOrchestrix: from a tool graph to a live agent, and a search that is answered\n");
    const passed = await runSteps(stateDir, report);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (flags.json) console.log(JSON.stringify({ ok: passed, seconds: Number(seconds) }));
    else
      console.log(
        passed ? `\nEverything is as it should be, in ${seconds} s.\n` : "\nStopped: the step above failed.\n",
      );
    return passed;
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function runSteps(stateDir: string, report: (step: StepReport) => void): Promise<boolean> {
  let number = 0;
  const timed = async <T>(title: string, run: () => Promise<readonly [T, string]>): Promise<T | undefined> => {
    const startedAt = performance.now();
    const step = ++number;
    try {
      const [value, result] = await run();
      report({ step, title, ok: true, durationMs: performance.now() - startedAt, result });
      return value;
    } catch (error) {
      const result = error instanceof Error ? error.message : String(error);
      report({ step, title, ok: false, durationMs: performance.now() - startedAt, result });
      return undefined;
    }
  };

  const server = await timed("Start", async () => {
    const launched = await launch({ stateDir, variables: OFFLINE });
    return [launched, `${launched.url}, state in ${stateDir}`];
  });
  if (server === undefined) return false;
  try {
    const { ENCRYPTION_KEY: encryptionKey = "" } = await readDevVars(join(stateDir, ".dev.vars"));
    const ownerId = `demo-${randomUUID().slice(0, 8)}`;
    for (const { title, run } of createDemoSteps({ ...server, ownerId, encryptionKey })) {
      if ((await timed(title, async () => [true, await run()])) === undefined) return false;
    }
    const stopped = await timed("Stop", async () => {
      await server.stop();
      return [true, "the server is gone, its state is thrown away"];
    });
    return stopped === true;
  } finally {
    await server.kill();
  }
}

function reportForPeople({ ok, step, title, durationMs, result }: StepReport): void {
  const head = `${ok ? "✓" : "✗"} ${String(step).padStart(2)}. ${title}`;
  console.log(
    `${head.padEnd(52)} ${durationMs.toFixed(0).padStart(6)} ms\n      ${result.replaceAll("\n", "\n      ")}`,
  );
}

function reportAsJson(step: StepReport): void {
  console.log(JSON.stringify({ ...step, durationMs: Math.round(step.durationMs) }));
}

process.exitCode = (await main()) ? 0 : 1;
