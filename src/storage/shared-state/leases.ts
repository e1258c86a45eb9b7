/** Who holds a lease, and until when. */
export interface Holding {
  readonly token: string;
  readonly expiresAtMs: number;
}

export function isHeld(holding: Holding | undefined, nowMs: number): holding is Holding {
  return holding !== undefined && holding.expiresAtMs > nowMs;
}

export function isHeldBy(holding: Holding | undefined, token: string, nowMs: number): boolean {
  return isHeld(holding, nowMs) && holding.token === token;
}
