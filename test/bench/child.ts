import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

export interface Child {
  /** One question at a time. Rejects when the process ends before it answers. */
  ask<Answer>(question: unknown): Promise<Answer>;
  stop(): Promise<void>;
  readonly pid: number | undefined;
}

/**
 * Runs a module in a process of its own, which ends with ours whatever becomes of us. Questions and answers are
 * structured clones; an answer `{ error }` is thrown.
 */
export function startChild(module: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Child {
  const child = fork(module, args, {
    serialization: "advanced",
    execArgv: ["--import", join(import.meta.dirname, "end-with-parent.ts")],
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return { ask: (question) => ask(child, question), stop: () => stop(child), pid: child.pid };
}

function ask<Answer>(child: ChildProcess, question: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`${child.spawnargs.at(-1)} has ended`));
    child.once("exit", onExit);
    child.once("message", (answer: Answer & { readonly error?: string }) => {
      child.off("exit", onExit);
      if (answer.error === undefined) resolve(answer);
      else reject(new Error(answer.error));
    });
    child.send(question as object);
  });
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

/** In the child: answers each question of the parent with what `answer` gives. */
export function answerParent(answer: (question: never) => Promise<object>): void {
  process.on("message", (question) => {
    answer(question as never).then(
      (value) => process.send?.(value),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
}
