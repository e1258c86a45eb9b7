import { connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server, and can fail as networks do. */
export interface TcpProxy {
  readonly port: number;
  /** From now on every byte from the server waits this long. */
  delay(ms: number): void;
  /** From now on nothing from the server comes through, while connections stay up. */
  stall(): void;
  /** Breaks every connection that is up. */
  cut(): void;
  /** Back to passing everything on. */
  heal(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number, port = 0): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let delayMs = 0;
  let isStalled = false;

  const server = createServer((client) => {
    const target = connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (chunk) => target.write(chunk));
    target.on("data", (chunk) => {
      if (isStalled) return;
      if (delayMs === 0) client.write(chunk);
      else setTimeout(() => client.destroyed || client.write(chunk), delayMs);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    delay(ms) {
      delayMs = ms;
    },
    stall() {
      isStalled = true;
    },
    cut,
    heal() {
      delayMs = 0;
      isStalled = false;
    },
    async close() {
      cut();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
