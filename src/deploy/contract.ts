import * as z from "zod";
import { ownerId, serverId } from "../http/schemas.ts";
import { runStatsSchema } from "../runtime/contract.ts";
import { deploymentState } from "../servers/contract.ts";

/** Where agents can live. */
export const TARGET_NAMES = ["edge"] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

export const deployBody = z.strictObject({ ownerId, target: z.enum(TARGET_NAMES).optional() }).meta({ id: "Deploy" });

export type DeployBody = z.output<typeof deployBody>;

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
