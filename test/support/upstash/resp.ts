import { connect } from "node:net";

/** What Redis answers, binary safe: texts are bytes. An error is a value here, so that one does not hide the others. */
export type RespValue = Buffer | string | number | null | RespError | readonly RespValue[];

export class RespError extends Error {
  override readonly name = "RespError";
}

export interface RespClient {
  /** Sends the commands in one write; their answers in order. */
  send(commands: readonly (readonly (string | Buffer)[])[]): Promise<readonly RespValue[]>;
  close(): void;
}

/** A client for RESP2, over one connection. */
export function connectResp(port: number): Promise<RespClient> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  const waiting: { resolve(value: RespValue): void; reject(error: Error): void }[] = [];
  let pending: Buffer = Buffer.alloc(0);

  socket.on("data", (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let offset = 0;
    for (;;) {
      const parsed = parse(pending, offset);
      if (parsed === null) break;
      offset = parsed.end;
      waiting.shift()?.resolve(parsed.value);
    }
    pending = pending.subarray(offset);
  });
  const fail = (error: Error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  socket.on("close", () => fail(new Error("the connection to Redis is closed")));

  const client: RespClient = {
    send(commands) {
      const answers = commands.map(
        () => new Promise<RespValue>((resolve, reject) => void waiting.push({ resolve, reject })),
      );
      socket.write(Buffer.concat(commands.map(encode)));
      return Promise.all(answers);
    },
    close: () => socket.destroy(),
  };
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(client));
    socket.on("error", (error) => {
      fail(error);
      reject(error);
    });
  });
}

function encode(command: readonly (string | Buffer)[]): Buffer {
  const parts = command.map((part) => (typeof part === "string" ? Buffer.from(part) : part));
  return Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from("\r\n")]),
  ]);
}

interface Parsed<T> {
  readonly value: T;
  readonly end: number;
}

/** Null while the value has not come whole. */
function parse(bytes: Buffer, start: number): Parsed<RespValue> | null {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return null;
  const line = bytes.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (bytes[start]) {
    case 0x2b: // +
      return { value: line, end };
    case 0x2d: // -
      return { value: new RespError(line), end };
    case 0x3a: // :
      return { value: Number(line), end };
    case 0x24: // $
      return parseText(bytes, Number(line), end);
    case 0x2a: // *
      return parseList(bytes, Number(line), end);
    default:
      throw new Error(`not RESP2: byte ${bytes[start]}`);
  }
}

function parseText(bytes: Buffer, length: number, start: number): Parsed<RespValue> | null {
  if (length < 0) return { value: null, end: start };
  const end = start + length + 2;
  return bytes.length < end ? null : { value: Buffer.from(bytes.subarray(start, start + length)), end };
}

function parseList(bytes: Buffer, length: number, start: number): Parsed<RespValue> | null {
  if (length < 0) return { value: null, end: start };
  const values: RespValue[] = [];
  let end = start;
  for (let i = 0; i < length; i++) {
    const parsed = parse(bytes, end);
    if (parsed === null) return null;
    values.push(parsed.value);
    end = parsed.end;
  }
  return { value: values, end };
}
