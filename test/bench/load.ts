import { join } from "node:path";
import { startChild } from "./child.ts";

/** Stands in a request for a number that no other request of the run has. JSON needs no escape for it. */
export const COUNTER = "%%%%%%%%%%";

/** The same for the number of a question out of many, the low ones far more often than the high ones. */
export const POPULAR = "~~~~~~~~~~";

export interface LoadTarget {
  readonly url: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  /** ASCII. */
  readonly body?: string;
  /** Asked one after the other instead of the URL's own. */
  readonly paths?: readonly string[];
}

export interface LoadJob {
  readonly host: string;
  readonly port: number;
  /** Whole requests as they go over the wire, sent in turns. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /**
   * The connections begin one after the other within this time. Where every answer takes equally long, connections that
   * begin together ask together for ever, which callers who know nothing of each other don't.
   */
  readonly spreadMs: number;
}

export interface LoadSample {
  /** Answers that came before the time was up, of any status. */
  readonly requestsPerSecond: number;
  readonly latenciesMs: Float32Array;
  /** How many answers had which status; "no answer" and "connection lost" are among them. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface LoadGenerator {
  /** One job at a time. */
  measure(target: LoadTarget, load: Omit<LoadJob, "host" | "port" | "requests">): Promise<LoadSample>;
  stop(): Promise<void>;
}

/** The load comes out of a process of its own, so that nothing that is measured waits for our garbage collector. */
export function startLoadGenerator(): LoadGenerator {
  const child = startChild(join(import.meta.dirname, "load-process.ts"));
  return {
    measure(target, load) {
      const { hostname: host, port } = new URL(target.url);
      const job: LoadJob = { ...load, host, port: Number(port), requests: formatRequests(target) };
      return child.ask<LoadSample>(job);
    },
    stop: child.stop,
  };
}

function formatRequests({ url, paths, method = "GET", headers = {}, body = "" }: LoadTarget): readonly string[] {
  const { host, pathname, search } = new URL(url);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = method === "GET" ? "" : `Content-Length: ${body.length}\r\n`;
  const rest = `HTTP/1.1\r\nHost: ${host}\r\n${lines.join("")}${length}\r\n${body}`;
  return (paths ?? [pathname + search]).map((path) => `${method} ${path} ${rest}`);
}
