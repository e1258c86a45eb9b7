import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Ways in which a server misbehaves, whatever it serves. */
export type Fault =
  | "hang"
  | "drip"
  | "huge"
  | "garbage"
  | "html"
  | "no-content"
  | "array"
  | "broken-off"
  | "reset"
  | "redirect"
  | "invalid-utf8";

/**
 * What a call is answered with: `ok` as the real thing would, `empty` and `unrelated` in the provider's way, a number
 * as the provider's error of that status (or of its own code), or exactly the reply given.
 */
export type Behaviour = "ok" | "empty" | "unrelated" | Fault | number | Reply;

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written as JSON unless it is a string. */
  readonly body: unknown;
}

export interface RecordedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined where it was none. */
  readonly body: Record<string, unknown> | undefined;
}

export interface StandIn {
  readonly url: string;
  /** Every request so far, whatever came of it. */
  readonly calls: readonly RecordedCall[];
  /** Bytes of bodies written so far: shows where a client stopped reading. */
  bytesSent(): number;
  /** One behaviour for each call to come, in order; after them, the lasting one. */
  script(...behaviours: readonly Behaviour[]): void;
  /** For every call that no script covers; `ok` at first. */
  always(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** What makes a server the stand-in of one provider. */
export interface Provider {
  /** A reply to a call that behaves: checks the request as the real thing does. */
  answer(call: RecordedCall, mood: "ok" | "empty" | "unrelated"): Reply;
  error(statusOrCode: number): Reply;
}

const DRIP_MS = 20;
const HUGE_BYTES = 1_000_000_000;
const HUGE_CHUNK = Buffer.alloc(65_536, " ");

export async function startStandIn(provider: Provider): Promise<StandIn> {
  const calls: RecordedCall[] = [];
  const scripted: Behaviour[] = [];
  let lasting: Behaviour = "ok";
  let sent = 0;

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await record(request);
    calls.push(call);
    const behaviour = scripted.shift() ?? lasting;
    if (behaviour === "ok" || behaviour === "empty" || behaviour === "unrelated") {
      write(response, provider.answer(call, behaviour));
    } else if (typeof behaviour === "number") write(response, provider.error(behaviour));
    else if (typeof behaviour === "object") write(response, behaviour);
    else await misbehave(behaviour, response, (bytes) => (sent += bytes));
  }

  function write(response: ServerResponse, { status, headers, body }: Reply): void {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    sent += Buffer.byteLength(text);
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(text);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    bytesSent: () => sent,
    script: (...behaviours) => scripted.push(...behaviours),
    always(behaviour) {
      lasting = behaviour;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An address where nobody listens: a connection to it is refused. */
export async function refusedUrl(): Promise<string> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

async function record(request: IncomingMessage): Promise<RecordedCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = "", url: path = "", headers } = request;
  try {
    return { method, path, headers, body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown> };
  } catch {
    return { method, path, headers, body: undefined };
  }
}

async function misbehave(fault: Fault, response: ServerResponse, count: (bytes: number) => void): Promise<void> {
  const json = { "Content-Type": "application/json" };
  switch (fault) {
    case "hang":
      return;
    case "reset":
      response.destroy();
      return;
    case "no-content":
      response.writeHead(204).end();
      return;
    case "html":
      response
        .writeHead(200, { "Content-Type": "text/html" })
        .end("<!doctype html><title>Sign in</title><script>alert(1)</script>");
      return;
    case "garbage":
      response.writeHead(200, json).end('{"results":[{"title":');
      return;
    case "array":
      response.writeHead(200, json).end('[{"title":"x","url":"https://x.example/"}]');
      return;
    case "invalid-utf8":
      response.writeHead(200, json).end(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]));
      return;
    case "redirect":
      response.writeHead(302, { Location: "/elsewhere" }).end();
      return;
    case "broken-off":
      response.writeHead(200, { ...json, "Content-Length": "1000" });
      response.write('{"results":[');
      setTimeout(() => response.destroy(), DRIP_MS);
      return;
    case "drip":
      response.writeHead(200, json);
      for (let i = 0; !response.destroyed; i++) {
        response.write(i === 0 ? "{" : " ");
        await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
      }
      return;
    case "huge":
      response.writeHead(200, json);
      for (let bytes = 0; bytes < HUGE_BYTES && !response.destroyed; bytes += HUGE_CHUNK.length) {
        count(HUGE_CHUNK.length);
        await new Promise<void>((resolve) => response.write(HUGE_CHUNK, () => resolve()));
      }
      response.end();
      return;
  }
}
