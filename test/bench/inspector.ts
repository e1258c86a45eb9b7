import type { CpuProfile } from "./cpu-profile.ts";

/** Short enough to see single calls of a request, long enough not to slow it much. */
const SAMPLING_INTERVAL_US = 200;
const TARGET = "core:user:orchestrix";

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/**
 * Records what our Worker's isolate does while `work` runs, over the runtime's inspector.
 * @throws Error when the inspector does not answer or refuses.
 */
export async function recordCpuProfile(inspectorPort: number, work: () => Promise<void>): Promise<CpuProfile> {
  const socket = new WebSocket(`ws://127.0.0.1:${inspectorPort}/${TARGET}`);
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  socket.addEventListener("message", ({ data }) => {
    const { id = 0, result, error } = JSON.parse(String(data)) as Reply;
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(`the inspector: ${error.message}`));
  });
  const closed = new Promise<never>((_, reject) => {
    socket.addEventListener("close", () => reject(new Error("the inspector has hung up")));
  });
  closed.catch(() => {});
  let lastId = 0;
  const call = (method: string, params: object = {}) => {
    const id = ++lastId;
    const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
    socket.send(JSON.stringify({ id, method, params }));
    return Promise.race([answer, closed]);
  };
  try {
    await Promise.race([new Promise((resolve) => socket.addEventListener("open", resolve)), closed]);
    await call("Profiler.enable");
    await call("Profiler.setSamplingInterval", { interval: SAMPLING_INTERVAL_US });
    await call("Profiler.start");
    await work();
    const { profile } = (await call("Profiler.stop")) as { readonly profile: CpuProfile };
    return profile;
  } finally {
    socket.close();
  }
}
