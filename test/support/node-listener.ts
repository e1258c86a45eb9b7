import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface NodeListener {
  /** Without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves an app's `fetch` on a port of this machine, for clients that know nothing of it. Bodies are sent whole. */
export async function listen(fetch: (request: Request) => Response | Promise<Response>): Promise<NodeListener> {
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "GET", headersDistinct } = incoming;
    const headers = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    );
    const body = method === "GET" || method === "HEAD" ? {} : { body: Buffer.concat(chunks) };
    const response = await fetch(new Request(new URL(incoming.url ?? "/", url()), { method, headers, ...body }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: url(),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
