import type { Clock } from "../core/clock.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type AppContext, callerOf } from "./context.ts";
import {
  STREAM_PLACE_LEASE_MS,
  STREAMS_FULL_RETRY_SECONDS,
  STREAMS_PER_CALLER_MAX,
  STREAMS_PER_ISOLATE_MAX,
} from "./limits.ts";

/** What an open stream holds until it has ended. */
export interface StreamPlace {
  /** The stream lives. Of which nothing is heard for STREAM_PLACE_LEASE_MS, its place is free again. */
  renew(): void;
  /** The stream has ended; a second time is without effect. */
  giveBack(): void;
}

/** The streams that are open in this isolate, so many of one caller and so many of all. */
export interface StreamPlaces {
  /**
   * Opens a stream in a place of its own, or refuses with RATE_LIMITED before anything is read. What `open` answers has
   * to give the place back when it ends; where it fails, that is done here.
   */
  open(c: AppContext, open: (place: StreamPlace) => Promise<Result<Response>>): Promise<Result<Response>>;
}

interface Held {
  readonly caller: string;
  heardAt: number;
}

export function createStreamPlaces({ clock }: { readonly clock: Clock }): StreamPlaces {
  const held = new Set<Held>();

  function hold(caller: string): StreamPlace {
    const mine: Held = { caller, heardAt: clock.now() };
    let isBack = false;
    held.add(mine);
    return {
      renew() {
        mine.heardAt = clock.now();
        if (!isBack) held.add(mine);
      },
      giveBack() {
        isBack = true;
        held.delete(mine);
      },
    };
  }

  /** A request that the runtime ends does not always say so to its stream. */
  function dropSilent(): void {
    const since = clock.now() - STREAM_PLACE_LEASE_MS;
    for (const place of held) if (place.heardAt <= since) held.delete(place);
  }

  function take(caller: string): Result<StreamPlace> {
    dropSilent();
    let own = 0;
    for (const place of held) if (place.caller === caller) own++;
    if (own >= STREAMS_PER_CALLER_MAX) return PER_CALLER;
    if (held.size >= STREAMS_PER_ISOLATE_MAX) return PER_ISOLATE;
    return ok(hold(caller));
  }

  return {
    async open(c, open) {
      const taken = take(callerOf(c));
      if (!taken.ok) return taken;
      const place = taken.value;
      let stream: Response | null = null;
      try {
        const opened = await open(place);
        // Who asks for the head alone is sent no body.
        if (opened.ok && c.req.method !== "HEAD") stream = opened.value;
        return opened;
      } finally {
        if (stream === null) place.giveBack();
      }
    },
  };
}

const INSTEAD = "or read the list, without 'Accept: text/event-stream'";

const PER_CALLER = refuse(
  "streams-per-caller",
  `too many streams are open: a key or address follows ${STREAMS_PER_CALLER_MAX} at once; end one, ${INSTEAD}`,
);

const PER_ISOLATE = refuse("streams", `too many streams are open here: come back later, ${INSTEAD}`);

function refuse(policy: string, detail: string): Result<never> {
  return err({
    code: "RATE_LIMITED",
    detail,
    violatedPolicies: [policy],
    retryAfterSeconds: STREAMS_FULL_RETRY_SECONDS,
  });
}
