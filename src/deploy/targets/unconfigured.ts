import { err } from "../../core/result.ts";
import type { Target } from "./target.ts";

/**
 * A target that lacks what it needs: every method answers `TARGET_NOT_CONFIGURED` with this detail, which starts
 * "API key not configured" where that is why.
 */
export function createUnconfiguredTarget(name: string, detail: string): Target {
  const refuse = async () => err({ code: "TARGET_NOT_CONFIGURED", detail });
  return { name, create: refuse, replace: refuse, remove: refuse, find: refuse, health: refuse };
}
