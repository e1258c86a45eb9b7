export interface Count {
  readonly value: number;
  readonly expiresAtMs: number;
}

/** Its lifetime runs from the first increment; a later one does not prolong it. */
export function addToCount(count: Count | undefined, by: number, ttlMs: number, nowMs: number): Count {
  return isAlive(count, nowMs) ? { ...count, value: count.value + by } : { value: by, expiresAtMs: nowMs + ttlMs };
}

export function readCount(count: Count | undefined, nowMs: number): number {
  return isAlive(count, nowMs) ? count.value : 0;
}

function isAlive(count: Count | undefined, nowMs: number): count is Count {
  return count !== undefined && count.expiresAtMs > nowMs;
}
