import { stateName } from "./state-names.ts";

/** Before every key of ours: others may use the same database. */
export const UPSTASH_PREFIX = "orchestrix:";

/** Every entry of the cache and nothing else, as Redis matches names. */
export const ENTRY_PATTERN = `${UPSTASH_PREFIX}entry[:!]*`;

export const entryName = (key: string) => UPSTASH_PREFIX + stateName("entry", key);
export const claimName = (key: string) => UPSTASH_PREFIX + stateName("claim", key);
export const leaseName = (name: string) => UPSTASH_PREFIX + stateName("lease", name);
export const counterName = (name: string) => UPSTASH_PREFIX + stateName("counter", name);
