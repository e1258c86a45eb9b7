import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { answerParent } from "./child.ts";
import { createMessageReader } from "./http-messages.ts";
import { COUNTER, type LoadJob, type LoadSample, POPULAR } from "./load.ts";
import { createZipfRanks } from "./zipf.ts";

/** How long an answer may still take after a round's end before it counts as none. */
const STRAGGLER_MS = 10_000;

/** Both go on over all jobs: no request with the counter is like another in a run. */
let counter = 0;
const nextRank = createZipfRanks();
const NUMBERS: readonly (readonly [placeholder: string, next: () => number])[] = [
  [COUNTER, () => ++counter],
  [POPULAR, nextRank],
];

answerParent(run);

/** A closed loop: each connection sends its next request when the one before is answered. */
async function run(job: LoadJob): Promise<LoadSample> {
  const sockets = await Promise.all(Array.from({ length: job.connections }, () => open(job)));
  const nextRequest = createTurns(job.requests.map(createRequests));
  const latenciesMs: number[] = [];
  const statuses: Record<string, number> = {};
  const startedAt = performance.now();
  const endAt = startedAt + job.seconds * 1_000;
  let inTime = 0;
  await Promise.all(
    sockets.map(async (socket, i) => {
      if (job.spreadMs > 0) await sleep((job.spreadMs * i) / job.connections);
      await loop(socket, nextRequest, endAt, (status, sentAt, answeredAt) => {
        latenciesMs.push(answeredAt - sentAt);
        if (answeredAt <= endAt) inTime++;
        statuses[status] = (statuses[status] ?? 0) + 1;
      });
    }),
  );
  for (const socket of sockets) socket.destroy();
  return { requestsPerSecond: inTime / job.seconds, latenciesMs: Float32Array.from(latenciesMs), statuses };
}

function loop(
  socket: Socket,
  nextRequest: () => Buffer | string,
  endAt: number,
  onAnswer: (status: string, sentAt: number, answeredAt: number) => void,
): Promise<void> {
  return new Promise((resolve) => {
    let sentAt = 0;
    const send = () => {
      sentAt = performance.now();
      socket.write(nextRequest(), "latin1");
    };
    const finish = (status: string) => {
      onAnswer(status, sentAt, performance.now());
      clearTimeout(patience);
      socket.removeAllListeners("close");
      socket.removeAllListeners("data");
      resolve();
    };
    const patience = setTimeout(() => finish("no answer"), endAt - performance.now() + STRAGGLER_MS);
    const feed = createMessageReader(({ head }) => {
      const now = performance.now();
      onAnswer(head.slice(9, 12), sentAt, now);
      if (now < endAt) return send();
      clearTimeout(patience);
      socket.removeAllListeners("close");
      resolve();
    });
    socket.on("data", feed);
    socket.on("close", () => finish("connection lost"));
    send();
  });
}

function createTurns(each: readonly (() => Buffer | string)[]): () => Buffer | string {
  const [only] = each;
  if (each.length === 1 && only !== undefined) return only;
  let turn = 0;
  return () => (each[turn++ % each.length] ?? (() => ""))();
}

/** The bytes of each request, with the next number in the place of the placeholder where there is one. */
function createRequests(request: string): () => Buffer | string {
  for (const [placeholder, next] of NUMBERS) {
    const at = request.indexOf(placeholder);
    if (at === -1) continue;
    const before = request.slice(0, at);
    const after = request.slice(at + placeholder.length);
    return () => before + String(next()).padStart(placeholder.length, "0") + after;
  }
  const bytes = Buffer.from(request, "latin1");
  return () => bytes;
}

function open({ host, port }: LoadJob): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}
