import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./faults.ts";
import { connectResp, type RespClient, RespError, type RespValue } from "./resp.ts";
import { createScriptTranslation } from "./scripts.ts";

type Command = readonly string[];
interface Answer {
  readonly result?: unknown;
  readonly error?: string;
}

/** One HTTP request, as it came. */
export interface RestRequest {
  readonly path: string;
  readonly commands: readonly Command[];
  readonly authorization: string | undefined;
}

export interface RestProxy {
  readonly url: string;
  readonly requests: RestRequest[];
  fault(fault: Fault | null): void;
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Speaks Upstash's REST interface before a Redis on this host, and can be told to fail. */
export async function startRestProxy(options: {
  readonly redisPort: number;
  readonly token: string;
}): Promise<RestProxy> {
  const requests: RestRequest[] = [];
  const scripts = createScriptTranslation();
  const shared = await connectResp(options.redisPort);
  let fault: Fault | null = null;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://proxy").pathname;
    const text = await readBody(request);
    const { authorization } = request.headers;
    const current = fault;
    const commands = parseCommands(path, request.method === "POST" ? text : "[]");
    requests.push({ path, commands: commands ?? [], authorization });
    if (await failBefore(current, response)) return;
    assertAllowed(request, options.token);
    if (commands === null) throw new Refusal(400, "ERR failed to parse the request");
    const encoding = request.headers["upstash-encoding"] === "base64" ? "base64" : "utf8";
    const answers = await perform(path, commands, encoding);
    if (current?.kind === "drop") response.destroy();
    else if (current?.kind === "lie") reply(response, 200, current.answer(answers));
    else if (path === "/") replyToOne(response, answers[0]);
    else reply(response, 200, answers);
  }

  async function perform(path: string, commands: readonly Command[], encoding: "base64" | "utf8"): Promise<Answer[]> {
    const translated = commands.map((command) => scripts.command(command));
    const sent = translated.map(({ command }) => command);
    const values = path === "/multi-exec" ? await execute(options.redisPort, sent) : await shared.send(sent);
    return values.map((value, i): Answer => {
      if (value instanceof RespError) return { error: value.message };
      return { result: encode(translated[i]?.answer ?? value, encoding) };
    });
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (error instanceof Refusal) reply(response, error.status, { error: error.message });
      else reply(response, 500, { error: String(error) });
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    fault(next) {
      fault = next;
    },
    async close() {
      shared.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function assertAllowed({ method, headers }: IncomingMessage, token: string): void {
  if (method !== "POST") throw new Refusal(405, "ERR method not allowed");
  if (headers.authorization !== `Bearer ${token}`) throw new Refusal(401, "Unauthorized");
}

/** Whether the request ends here. */
async function failBefore(fault: Fault | null, response: ServerResponse): Promise<boolean> {
  switch (fault?.kind) {
    case "slow":
      await sleep(fault.ms);
      return false;
    case "hang":
      return true;
    case "fail":
      reply(response, fault.status ?? 500, { error: "internal error" });
      return true;
    case "nonsense":
      replyRaw(response, fault);
      return true;
    default:
      return false;
  }
}

/** A transaction has a connection of its own. */
async function execute(redisPort: number, commands: readonly Command[]): Promise<readonly RespValue[]> {
  const client: RespClient = await connectResp(redisPort);
  try {
    const answers = await client.send([["MULTI"], ...commands, ["EXEC"]]);
    const done = answers.at(-1);
    if (done instanceof RespError) throw new Refusal(400, done.message);
    return Array.isArray(done) ? done : [];
  } finally {
    client.close();
  }
}

/** Null where the body is no list of commands, or the path none of ours. */
function parseCommands(path: string, text: string): readonly Command[] | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  const commands: unknown = path === "/" ? [body] : path === "/pipeline" || path === "/multi-exec" ? body : null;
  if (!Array.isArray(commands) || !commands.every((command) => Array.isArray(command))) return null;
  return commands.map((command: readonly unknown[]) => command.map(String));
}

/** As Upstash does it: every text but `OK`, in nested lists too; numbers and null as they are. */
function encode(value: RespValue | string, encoding: "base64" | "utf8"): unknown {
  if (typeof value === "string" || Buffer.isBuffer(value)) {
    const bytes = Buffer.from(value);
    const text = bytes.toString("utf8");
    return text === "OK" ? text : bytes.toString(encoding);
  }
  if (Array.isArray(value)) return value.map((inner: RespValue) => encode(inner, encoding));
  return value instanceof RespError ? { error: value.message } : value;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

function replyToOne(response: ServerResponse, answer: Answer = {}): void {
  reply(response, answer.error === undefined ? 200 : 400, answer);
}

function replyRaw(response: ServerResponse, fault: Extract<Fault, { kind: "nonsense" }>): void {
  response.writeHead(fault.status ?? 200, {
    "content-type": fault.type ?? "application/json",
    ...(fault.status === 302 && { location: "/elsewhere" }),
  });
  response.end(fault.body);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
