import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const START_TIMEOUT_MS = 20_000;
const START_POLL_MS = 25;

export interface ServerProcess {
  readonly port: number;
  stop(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

/** Starts a server that listens on a port of this host, and waits until it does. */
export async function startServer(
  command: string,
  args: readonly string[],
  port: number,
  options: SpawnOptions = {},
): Promise<ServerProcess> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => keepTail(output, String(chunk)));
  const exited = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (error) => {
      output.push(error.message);
      resolve();
    });
  });
  const end = (signal: NodeJS.Signals) => async () => {
    child.kill(signal);
    await exited;
  };
  if (!(await comesUp(child, port, exited))) {
    await end("SIGKILL")();
    throw new Error(`${command} does not listen on port ${port}:\n${output.join("")}`);
  }
  return { port, stop: end("SIGTERM"), kill: end("SIGKILL") };
}

const OUTPUT_CHUNKS_KEPT = 200;

function keepTail(output: string[], chunk: string): void {
  output.push(chunk);
  if (output.length > OUTPUT_CHUNKS_KEPT) output.shift();
}

async function comesUp(child: ChildProcess, port: number, exited: Promise<void>): Promise<boolean> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  const until = Date.now() + START_TIMEOUT_MS;
  while (!gone && Date.now() < until) {
    if (await listens(port)) return child.exitCode === null;
    await sleep(START_POLL_MS);
  }
  return false;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
