import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { CONFIG_VARIABLES } from "../src/config/config.ts";
import { ROOT } from "./build.ts";
import { findFreePort } from "./server.ts";

const START_TIMEOUT_MS = 60_000;
const HOST = "127.0.0.1";

const startedSchema = z.object({ url: z.url(), dashboard: z.url(), adminApiKey: z.string() });

export interface LaunchedServer {
  readonly url: string;
  readonly dashboard: string;
  readonly adminApiKey: string;
  /** What it wrote so far, the Worker's log lines included. */
  output(): string;
  /** Ends it as Ctrl+C does, and waits until it is gone. */
  stop(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

/**
 * Starts the product as `npm start` does, in a process of its own on a free port, with its state and its secrets in
 * `stateDir`. Settings of the caller's environment do not reach it; `variables` do.
 * @throws Error with what it wrote when it does not come up.
 */
export async function launch(options: {
  readonly stateDir: string;
  readonly variables?: Readonly<Record<string, string>>;
}): Promise<LaunchedServer> {
  const port = await findFreePort(HOST);
  const inherited = Object.entries(process.env).filter(
    ([name]) => !(CONFIG_VARIABLES as readonly string[]).includes(name),
  );
  const varsFile = join(options.stateDir, ".dev.vars");
  const child = spawn(process.execPath, [join(ROOT, "scripts/start.ts"), "--json", "--vars", varsFile], {
    env: {
      ...Object.fromEntries(inherited),
      HOST,
      PORT: String(port),
      STATE_DIR: join(options.stateDir, "state"),
      ...options.variables,
    },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: a crash must take workerd, its child, along.
    detached: true,
  });
  const lines: string[] = [];
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const started = await waitForStart(child, lines, exited).catch(async (error: unknown) => {
    signalGroup(child, "SIGKILL");
    await exited;
    throw error;
  });
  const end = async (signal: NodeJS.Signals) => {
    signalGroup(child, signal);
    await exited;
  };
  return { ...started, output: () => lines.join("\n"), stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}

function waitForStart(child: ChildProcess, lines: string[], exited: Promise<void>) {
  return new Promise<z.output<typeof startedSchema>>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`the server ${why}:\n${lines.join("\n")}`));
    const timer = setTimeout(() => fail(`did not start within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    void exited.then(() => fail("ended"));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        const started = parseStarted(line);
        if (started === null) return;
        clearTimeout(timer);
        resolve(started);
      });
    }
  });
}

function parseStarted(line: string): z.output<typeof startedSchema> | null {
  if (!line.startsWith("{")) return null;
  try {
    return startedSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

/** Signals a process that leads a group, and all of that group. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Gone between the look and the signal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
