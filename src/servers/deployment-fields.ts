import * as z from "zod";
import { isJsonObject } from "../core/json.ts";
import type { Document } from "../storage/documents/documents.ts";

/** What is done to a deployment. Each takes the server's claim first and gives it back when it ends. */
export const OPERATIONS = ["deploy", "redeploy", "rollback", "undeploy"] as const;
export type Operation = (typeof OPERATIONS)[number];

const claimSchema = z.object({
  id: z.string(),
  operation: z.enum(OPERATIONS),
  version: z.int(),
  target: z.string(),
  origin: z.string(),
  expiresAt: z.string(),
});

/** Who is changing a server's deployment, what with, and until when nobody else may. */
export type Claim = z.output<typeof claimSchema>;

/** The part of `deployment` that is kept in the record and never shown. */
export interface Deployment {
  readonly claim: Claim | null;
  /** Our address when it was last deployed: what its endpoint was built on. */
  readonly origin: string | null;
  /** The last deploy failed in a way that may have left an agent at the target. */
  readonly uncertain: boolean;
}

export function deploymentOf(stored: Document): Deployment {
  const deployment = isJsonObject(stored.deployment) ? stored.deployment : {};
  return {
    claim: claimSchema.safeParse(deployment.claim).data ?? null,
    origin: typeof deployment.origin === "string" ? deployment.origin : null,
    uncertain: deployment.uncertain === true,
  };
}
