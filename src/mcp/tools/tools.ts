import { type Actor, authorize } from "../../core/actor.ts";
import type { ProductMcpDeps } from "../deps.ts";
import type { ProductTool } from "../tool.ts";
import { createDeployTools, createRunTools } from "./deploy-tools.ts";
import { createSearchTools } from "./search-tools.ts";
import { createLogTools, createServerTools } from "./server-tools.ts";

/** In the order in which they are always listed. */
export function createProductTools(
  deps: Omit<ProductMcpDeps, "serving" | "version" | "graphTools">,
): readonly ProductTool[] {
  return [
    ...createSearchTools(deps),
    ...createServerTools(deps),
    ...createDeployTools(deps),
    ...createRunTools(deps),
    ...createLogTools(deps),
  ];
}

/** A courtesy: what decides is the scope that each verb asks for. */
export function visibleTo<T extends Pick<ProductTool, "scope">>(actor: Actor, listed: readonly T[]): readonly T[] {
  return listed.filter(({ scope }) => authorize(actor, scope).ok);
}
