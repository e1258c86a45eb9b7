/** A request that a graph makes. */
export interface OutboundRequest {
  /** As the graph gave it: not trusted. */
  readonly url: string;
  /** The host, or more of the URL, is a secret's: messages name no host then, neither this one nor where it leads. */
  readonly isHostSecret: boolean;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Patterns as in a policy; null for anywhere that is public. */
  readonly allowedHosts: readonly string[] | null;
  readonly maxResponseBytes: number;
  /** Bounds the whole in time, redirects and look-ups included. */
  readonly signal: AbortSignal;
}

/**
 * `refused`: it was never sent, or a redirect led where none may; `rule` is the policy's where that is why. `failed`: it
 * may or may not have arrived. Messages are made for the graph's author and hold no header and
 * no query.
 */
export type OutboundOutcome =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** In lower case; without `set-cookie`. */
      readonly headers: Readonly<Record<string, string>>;
      readonly text: string;
    }
  | { readonly kind: "refused"; readonly message: string; readonly rule: string | null }
  | { readonly kind: "failed"; readonly message: string; readonly isPassing: boolean };

/**
 * The internet as graphs may reach it: public addresses alone, bounded in size and redirects, and in time by the signal
 * of the request, whose abort rejects.
 */
export interface Outbound {
  /**
   * What would keep the request from being sent, without sending it: the host's name is looked up all the same. Null
   * where nothing would; where a redirect would lead is not known.
   */
  judge(request: OutboundRequest): Promise<Exclude<OutboundOutcome, { readonly kind: "answer" }> | null>;
  send(request: OutboundRequest): Promise<OutboundOutcome>;
}
