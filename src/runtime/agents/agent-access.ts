import { type Actor, authorize } from "../../core/actor.ts";
import { type AppError, notFound } from "../../core/errors.ts";
import type { AgentRecord } from "./agent-store.ts";

/** Why an actor may not run an agent; null where it may. That another owner's is there shows whatever key it has. */
export function refuseCaller(
  actor: Actor,
  { access, ownerId }: Pick<AgentRecord, "access" | "ownerId">,
): AppError | null {
  if (access === "public") return null;
  if (actor.kind === "key" && actor.ownerId !== ownerId) return notFound("agent").error;
  const authorized = authorize(actor, "agents:run");
  return authorized.ok ? null : authorized.error;
}
