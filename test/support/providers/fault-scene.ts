import type { Clock } from "../../../src/core/clock.ts";
import type { Fetch } from "../../../src/core/fetch.ts";
import type { Attempt } from "../../../src/search/contract.ts";
import { ADMIN, createSearchHarness, type SearchHarness } from "./harness.ts";
import { createSearchHttp, type HttpReply } from "./http.ts";
import { startJina } from "./jina.ts";
import { type Behaviour, refusedUrl, type StandIn } from "./stand-in.ts";
import { startTavily } from "./tavily.ts";

/** One of the two, as it is asked first and second. */
export type Who = "tavily" | "jina";

export const FAULTS = [
  "hang",
  "drip",
  "500",
  "429",
  "432",
  "401",
  "garbage",
  "HTML",
  "irrelevant",
  "empty",
  "connection refused",
] as const;
export type Fault = (typeof FAULTS)[number];

export const PROVIDER_TIMEOUT_MS = 500;
/** Chance at its worst: the longest pause before a repeat, the shortest cool-down. */
export const LONGEST_BACKOFF_MS = 100;
export const COOL_DOWN_PART = 0.8;
const worstChance = (length: number) => new Uint8Array(length).fill(255);

/** With `irrelevant`, so many unusual words that pages about something else are known for what they are. */
export const TOPIC = "ocean tides rise and fall twice daily";
export const EARLIER = "why ocean tides rise and fall";
/** Of another subject: what it brings answers nothing about the topic. */
export const OTHER = "sourdough bread recipe";

export type Brief = [provider: string, outcome: string, reason: string | null, httpStatus: number | null];

export interface Circuit {
  readonly state: "closed" | "open" | "half_open";
  readonly reason: string | null;
  /** Epoch milliseconds; null while closed. */
  readonly openUntil: number | null;
}

export interface FaultScene {
  readonly harness: SearchHarness;
  ask(query: string): Promise<HttpReply>;
  /** From now on these providers fail so, and the others work. */
  strike(faulty: readonly Who[], fault: Fault): void;
  /** From now on these fail with a status of 500 that asks for no repeat. */
  failOnce(faulty: readonly Who[]): void;
  heal(): void;
  /** Asks a provider what is left of its plan: not while it hangs. */
  circuit(who: Who): Promise<Circuit>;
  /** Questions put to a provider so far, answered, refused or lost. */
  asked(who: Who): number;
  /** True while a provider that works is being asked: then time must not pass. */
  isBusy(): boolean;
}

export interface FaultStage {
  /** A search service of its own: nothing is known of any provider. Without a key Tavily is skipped. */
  open(options: { readonly tavily: boolean; readonly clock?: Clock; readonly env: Record<string, string> }): FaultScene;
  close(): Promise<void>;
}

export async function startFaultStage(): Promise<FaultStage> {
  const standIns: Readonly<Record<Who, StandIn>> = { tavily: await startTavily(), jina: await startJina() };
  const nobody = await refusedUrl();
  // The first connection of a process takes longer than the others.
  await Promise.all(Object.values(standIns).map(({ url }) => fetch(url).then((response) => response.text())));

  function open({ tavily, clock, env }: Parameters<FaultStage["open"]>[0]): FaultScene {
    let struck: readonly Who[] = [];
    let fault: Fault | null = null;
    let busy = 0;
    const asked: Record<Who, number> = { tavily: 0, jina: 0 };

    const send: Fetch = async (url, init) => {
      const who: Who = url.startsWith(standIns.tavily.url) ? "tavily" : "jina";
      const isStruck = struck.includes(who);
      if (init.method === "POST") asked[who]++;
      if (isStruck && fault === "connection refused") return fetch(url.replace(standIns[who].url, nobody), init);
      if (isStruck && (fault === "hang" || fault === "drip")) return fetch(url, init);
      busy++;
      try {
        const response = await fetch(url, init);
        const { status, headers } = response;
        return new Response(await response.arrayBuffer(), { status, headers });
      } finally {
        busy--;
      }
    };
    const harness = createSearchHarness({
      ...(tavily ? { tavily: standIns.tavily.url } : {}),
      jina: standIns.jina.url,
      fetch: send,
      random: worstChance,
      env,
      ...(clock === undefined ? {} : { clock }),
    });
    const http = createSearchHttp(harness.service);

    function behave(faulty: readonly Who[], next: Fault | null, behaviourOf: (who: Who) => Behaviour): void {
      struck = faulty;
      fault = next;
      for (const who of ["tavily", "jina"] as const) {
        standIns[who].always(faulty.includes(who) ? behaviourOf(who) : "ok");
      }
    }

    const scene: FaultScene = {
      harness,
      ask: (query) => http.post("/search", { query }),
      strike: (faulty, next) => behave(faulty, next, (who) => behaviourOf(who, next)),
      failOnce: (faulty) => behave(faulty, null, () => ({ status: 500, headers: { "Retry-After": "1" }, body: {} })),
      heal: () => behave([], null, () => "ok"),
      async circuit(who) {
        const listed = await harness.providers.list({ actor: ADMIN, requestId: "req", origin: "http://localhost" });
        const shown = listed.ok ? listed.value.providers.find(({ name }) => name === who)?.circuit : undefined;
        if (shown === undefined) throw new Error(`${who} is not listed`);
        return { ...shown, openUntil: shown.openUntil === null ? null : Date.parse(shown.openUntil) };
      },
      asked: (who) => asked[who],
      isBusy: () => busy > 0,
    };
    scene.heal();
    return scene;
  }

  return {
    open,
    async close() {
      await Promise.all(Object.values(standIns).map((standIn) => standIn.close()));
    },
  };
}

/** Each says in its own way that its plan is used up. */
function behaviourOf(who: Who, fault: Fault): Behaviour {
  switch (fault) {
    case "hang":
    case "drip":
    case "garbage":
    case "empty":
      return fault;
    case "HTML":
      return "html";
    case "irrelevant":
      return "unrelated";
    case "connection refused":
      return "ok";
    case "432":
      return who === "tavily" ? 432 : 402;
    default:
      return Number(fault);
  }
}

interface Told {
  readonly outcome: "ok" | "failed";
  readonly reason: string;
  readonly httpStatus: number | null;
}

function toldOf(who: Who, fault: Fault): Told {
  const failed = (reason: string, httpStatus: number | null): Told => ({ outcome: "failed", reason, httpStatus });
  switch (fault) {
    case "hang":
    case "drip":
      return failed("timeout", null);
    case "500":
      return failed("server_error", 500);
    case "429":
      return failed("rate_limited", 429);
    case "432":
      return failed("quota", who === "tavily" ? 432 : 402);
    case "401":
      return failed("unauthorized", 401);
    case "garbage":
    case "HTML":
      return failed("bad_response", 200);
    case "irrelevant":
      return failed("irrelevant", 200);
    case "empty":
      return { outcome: "ok", reason: "empty", httpStatus: who === "tavily" ? 200 : 422 };
    case "connection refused":
      return failed("server_error", null);
  }
}

/** How a provider's part of the outcome list looks: what can pass is tried twice. */
export function attemptsAt(who: Who, fault: Fault): Brief[] {
  const { outcome, reason, httpStatus } = toldOf(who, fault);
  return Array.from({ length: triesOf(fault) }, () => [who, outcome, reason, httpStatus]);
}

export function reasonOf(fault: Fault): string {
  return toldOf("tavily", fault).reason;
}

export function triesOf(fault: Fault): 1 | 2 {
  return ["hang", "drip", "500", "connection refused"].includes(fault) ? 2 : 1;
}

/** How long one such answer opens the circuit for; null where it only counts. */
export function coolDownMsOf(who: Who, fault: Fault): number | null {
  if (fault === "429") return who === "tavily" ? 60_000 : 12_000;
  if (fault === "432") return 6 * HOUR_MS * COOL_DOWN_PART;
  return fault === "401" ? 24 * HOUR_MS * COOL_DOWN_PART : null;
}

const HOUR_MS = 3_600_000;

/** Who was asked, or could have been. */
export function briefOf(attempts: readonly Attempt[]): Brief[] {
  return attempts
    .filter(({ reason }) => reason !== "not_configured")
    .map(({ provider, outcome, reason, httpStatus }): Brief => [provider, outcome, reason, httpStatus]);
}

/** `2× tavily timeout, jina ok`. */
export function inWords(attempts: readonly Brief[]): string {
  const told = attempts.map(([provider, outcome, reason, status]) =>
    [provider, outcome === "skipped" ? "skipped:" : "", reason ?? "ok", reason === null ? "" : (status ?? "")]
      .filter((word) => word !== "")
      .join(" "),
  );
  return [...new Set(told)]
    .map((text) => {
      const times = told.filter((other) => other === text).length;
      return times === 1 ? text : `${times}× ${text}`;
    })
    .join(", ");
}
