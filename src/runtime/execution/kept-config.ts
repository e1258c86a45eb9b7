import type { Json } from "../../core/json.ts";
import type { ResolvedConfig } from "../graph/step-config.ts";
import { KEPT_CONFIG_MAX_BYTES } from "../limits.ts";
import { keepBeginning } from "./trace-value.ts";

/** What a run keeps of a config for its trace, which is written, with masks that may come later, when somebody reads it. */
export interface KeptConfig {
  readonly value: Json;
  /** Those of its JSON that were kept; null where it is whole. */
  readonly chars: number | null;
}

/** References can make a config of a megabyte at each step of a short input: of a large one the beginning is kept. */
export function keepConfig({ value, bytes }: ResolvedConfig): KeptConfig {
  if (bytes <= KEPT_CONFIG_MAX_BYTES) return { value, chars: null };
  return { value: keepBeginning(value, KEPT_CONFIG_MAX_BYTES), chars: KEPT_CONFIG_MAX_BYTES };
}
