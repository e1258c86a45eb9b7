const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");

/** An HTTP/1.1 message as it came: `body` still holds the chunks' framing where it was chunked. */
export interface HttpMessage {
  /** The first line and the headers. */
  readonly head: string;
  readonly body: Buffer;
}

/**
 * Cuts what a connection delivers into messages. Knows only what a benchmark's peers send: a length or chunks, no
 * pipelining of requests whose body is delimited by the connection's end.
 */
export function createMessageReader(onMessage: (message: HttpMessage) => void): (chunk: Buffer) => void {
  let pending: Buffer | null = null;
  return function feed(chunk) {
    let rest: Buffer | null = pending === null ? chunk : Buffer.concat([pending, chunk]);
    while (rest !== null && rest.length > 0) {
      const headEnd: number = rest.indexOf(HEAD_END);
      if (headEnd === -1) break;
      const head = rest.toString("latin1", 0, headEnd);
      const end = messageEnd(rest, head, headEnd);
      if (end === -1 || end > rest.length) break;
      const body = rest.subarray(headEnd + HEAD_END.length, end);
      rest = end === rest.length ? null : rest.subarray(end);
      onMessage({ head, body });
    }
    pending = rest;
  };
}

/** Where the message ends, maybe beyond what has come; -1 where that is not known yet. */
function messageEnd(bytes: Buffer, head: string, headEnd: number): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return headEnd + HEAD_END.length + Number(length);
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return headEnd + HEAD_END.length;
  const last = bytes.indexOf(LAST_CHUNK, headEnd + HEAD_END.length - 2);
  return last === -1 ? -1 : last + LAST_CHUNK.length;
}
