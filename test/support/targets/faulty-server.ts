import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written as JSON unless it is a string; nothing is written where it is undefined. */
  readonly body?: unknown;
}

export interface RecordedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined where it was none. */
  readonly body: any;
  readonly rawBody: string;
}

/**
 * What a request meets instead of an answer. `hang`: no answer ever. `drop`: the connection is cut. A number: that
 * status with a message of the server's kind. `delayMs`: the true answer, late. A reply: exactly that.
 */
export type Fault =
  | "hang"
  | "drop"
  | "garbage"
  | "html"
  | "huge"
  | "redirect"
  | "empty"
  | number
  | Reply
  | { readonly delayMs: number };

/** `ok`: as the real thing. A fault alone: nothing is done. `{ workThen }`: the work is done, and the answer is this. */
export type Behaviour = "ok" | Fault | { readonly workThen: Fault };

/** Which requests a script is for: by method, or by method and path. */
export type Which = string | { readonly method?: string; readonly path: RegExp };

export interface FaultyServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Every request so far, whatever came of it. */
  readonly requests: readonly RecordedRequest[];
  /** Requests so far as `METHOD path`, paths without their query. */
  calls(): readonly string[];
  /** One behaviour for each request to come that matches, in order; after them, the lasting one. `*` is any. */
  script(which: Which, ...behaviours: readonly Behaviour[]): void;
  /** For every request that no script covers; `ok` at first. */
  always(behaviour: Behaviour): void;
  /** Resolves when a request that matches has arrived; at once where one has already. */
  arrived(which: Which): Promise<void>;
  close(): Promise<void>;
}

const HUGE_BYTES = 64 * 1024 * 1024;
const HUGE_CHUNK = Buffer.alloc(65_536, " ");

/** A real HTTP server that misbehaves on demand. `answer` does the work and says what the real thing would. */
export async function startFaultyServer(deps: {
  readonly answer: (request: RecordedRequest) => Reply | Promise<Reply>;
  /** The body of an error of this status, in the server's own form. */
  readonly errorBody: (status: number) => unknown;
}): Promise<FaultyServer> {
  const requests: RecordedRequest[] = [];
  const scripts: { readonly which: Which; readonly behaviours: Behaviour[] }[] = [];
  let waiting: { readonly which: Which; readonly resolve: () => void }[] = [];
  let lasting: Behaviour = "ok";

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await record(incoming);
    requests.push(request);
    const script = scripts.find(({ which, behaviours }) => behaviours.length > 0 && matches(which, request));
    const behaviour = script?.behaviours.shift() ?? lasting;
    const settled = waiting.filter(({ which }) => matches(which, request));
    waiting = waiting.filter((other) => !settled.includes(other));
    for (const { resolve } of settled) resolve();
    if (behaviour === "ok") return write(response, await deps.answer(request));
    if (typeof behaviour === "object" && "workThen" in behaviour) {
      const reply = await deps.answer(request);
      return misbehave(behaviour.workThen, response, async () => reply);
    }
    return misbehave(behaviour, response, async () => deps.answer(request));
  }

  async function misbehave(fault: Fault, response: ServerResponse, answer: () => Promise<Reply>): Promise<void> {
    if (typeof fault === "number") return write(response, { status: fault, body: deps.errorBody(fault) });
    if (typeof fault === "object" && "delayMs" in fault) {
      await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
      return write(response, await answer());
    }
    if (typeof fault === "object") return write(response, fault);
    switch (fault) {
      case "hang":
        return;
      case "drop":
        response.destroy();
        return;
      case "garbage":
        return write(response, { status: 200, body: '{"agentId":' });
      case "html":
        return write(response, {
          status: 200,
          headers: { "Content-Type": "text/html" },
          body: "<!doctype html><title>Sign in</title>",
        });
      case "empty":
        return write(response, { status: 204 });
      case "redirect":
        return write(response, { status: 307, headers: { Location: `${urlOf(server)}/elsewhere` } });
      case "huge":
        return writeHuge(response);
    }
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: urlOf(server),
    requests,
    calls: () => requests.map(({ method, path }) => `${method} ${path.split("?")[0]}`),
    script: (which, ...behaviours) => scripts.push({ which, behaviours: [...behaviours] }),
    always(behaviour) {
      lasting = behaviour;
    },
    arrived(which) {
      if (requests.some((request) => matches(which, request))) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ which, resolve }));
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function urlOf(server: ReturnType<typeof createServer>): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function matches(which: Which, { method, path }: RecordedRequest): boolean {
  if (typeof which === "string") return which === "*" || which === method;
  return (which.method === undefined || which.method === method) && which.path.test(path);
}

async function record(request: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const rawBody = Buffer.concat(chunks).toString();
  const { method = "", url: path = "", headers } = request;
  let body: unknown;
  try {
    body = JSON.parse(rawBody);
  } catch {
    body = undefined;
  }
  return { method, path, headers, body, rawBody };
}

function write(response: ServerResponse, { status, headers, body }: Reply): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(text);
}

async function writeHuge(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "Content-Type": "application/json" });
  for (let bytes = 0; bytes < HUGE_BYTES && !response.destroyed; bytes += HUGE_CHUNK.length) {
    await new Promise<void>((resolve) => response.write(HUGE_CHUNK, () => resolve()));
  }
  response.end();
}
