import * as z from "zod";
import { ownerId, serverId } from "../http/schemas.ts";
import { runStatsSchema } from "../runtime/contract.ts";
import { deploymentState } from "../servers/contract.ts";

/** Where agents can live. */
export const TARGET_NAMES = ["edge", "archestra", "archestra-platform"] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

export const deployBody = z.strictObject({ ownerId, target: z.enum(TARGET_NAMES).optional() }).meta({ id: "Deploy" });
export type DeployBody = z.output<typeof deployBody>;

export const ownerBody = z.strictObject({ ownerId: ownerId.optional() }).optional();
export type OwnerBody = NonNullable<z.output<typeof ownerBody>>;

export const rollbackBody = z
  .strictObject({ ownerId: ownerId.optional(), version: z.int().min(1) })
  .meta({ id: "Rollback" });
export type RollbackBody = z.output<typeof rollbackBody>;

export const deployAnswer = z
  .object({
    success: z.literal(true),
    serverId,
    agentId: z.string(),
    endpoint: z.url(),
    dashboardUrl: z.url(),
    deployedAt: z.iso.datetime(),
    target: z.string(),
    version: z.int(),
  })
  .meta({ id: "Deployed" });

export type DeployAnswer = z.output<typeof deployAnswer>;

export const undeployAnswer = z.object({ success: z.literal(true), serverId }).meta({ id: "Undeployed" });
export type UndeployAnswer = z.output<typeof undeployAnswer>;

export const statusAnswer = z
  .object({
    serverId,
    state: deploymentState,
    target: z.string().nullable(),
    /** The deployed version, or the current one of a server that is not deployed. */
    version: z.int(),
    agentId: z.string().nullable(),
    endpoint: z.string().nullable(),
    dashboardUrl: z.string().nullable(),
    deployedAt: z.string().nullable(),
    lastError: z.string().nullable(),
    runs: runStatsSchema,
  })
  .meta({ id: "Status" });

export type StatusAnswer = z.output<typeof statusAnswer>;

export function isTargetName(name: string): name is TargetName {
  return (TARGET_NAMES as readonly string[]).includes(name);
}
