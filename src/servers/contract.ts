import * as z from "zod";
import { cursorOf, jsonObject, ownerId, pageQuery, serverId } from "../http/schemas.ts";
import { accessSchema, executionOrder, graphFields, policySchema, toolSchema } from "../runtime/contract.ts";

export const createServerBody = z
  .strictObject({
    serverId: serverId.optional(),
    ownerId: ownerId.optional(),
    ...graphFields,
    inputSchema: jsonObject.optional(),
    access: accessSchema.default("public"),
    policy: policySchema.default({}),
  })
  .meta({ id: "CreateServer" });

export type CreateServer = z.output<typeof createServerBody>;

export const DEPLOYMENT_STATES = ["draft", "deploying", "deployed", "failed", "undeploying"] as const;
export const deploymentState = z.enum(DEPLOYMENT_STATES);
export type DeploymentState = z.output<typeof deploymentState>;

export const deploymentSchema = z.object({
  state: deploymentState,
  target: z.string().nullable(),
  /** The version that the target has; null before the first deploy. */
  version: z.int().nullable(),
  /** Why the last deploy failed, written for people; null otherwise. */
  error: z.string().nullable(),
});

export const serverRecord = z
  .object({
    serverId,
    ownerId: z.string(),
    name: z.string(),
    description: z.string(),
    tools: z.array(toolSchema),
    executionOrder,
    inputSchema: jsonObject,
    access: accessSchema,
    policy: policySchema,
    version: z.int().min(1),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    deployment: deploymentSchema,
    archestraAgentId: z.string().nullable(),
    archestraEndpoint: z.string().nullable(),
    archestraDashboardUrl: z.string().nullable(),
    archestraDeployedAt: z.string().nullable(),
  })
  .meta({ id: "Server" });

export type ServerRecord = z.output<typeof serverRecord>;

export const serverParams = z.object({ serverId });
export const ownerQuery = z.object({ ownerId: ownerId.optional() });
export const listServersQuery = ownerQuery.extend({
  state: deploymentState.optional(),
  ...pageQuery,
  cursor: cursorOf(serverId),
});

export const toolList = z.object({ serverId, tools: z.array(toolSchema), executionOrder });

/** The whole definition; what is left out takes its default, as in a create. */
export const replaceServerBody = z
  .strictObject({
    ownerId: ownerId.optional(),
    ...graphFields,
    inputSchema: jsonObject.optional(),
    access: accessSchema.default("public"),
    policy: policySchema.default({}),
    /** The version that the caller has read. */
    version: z.int().min(1),
  })
  .meta({ id: "ReplaceServer" });

/** JSON Merge Patch (RFC 7396) of the definition: fields left out stay, null takes a field back to its default. */
export const patchServerBody = z
  .strictObject({
    ownerId: ownerId.optional(),
    name: graphFields.name.optional(),
    description: graphFields.description.unwrap().nullable().optional(),
    tools: graphFields.tools.optional(),
    executionOrder: executionOrder.optional(),
    inputSchema: jsonObject.nullable().optional(),
    access: accessSchema.nullable().optional(),
    policy: policySchema.nullable().optional(),
    version: z.int().min(1),
  })
  .meta({ id: "PatchServer" });

export type ReplaceServer = z.output<typeof replaceServerBody>;
export type PatchServer = z.output<typeof patchServerBody>;

export const serverVersion = serverRecord
  .pick({
    serverId: true,
    version: true,
    name: true,
    description: true,
    tools: true,
    executionOrder: true,
    inputSchema: true,
    access: true,
    policy: true,
    updatedAt: true,
  })
  .meta({ id: "ServerVersion" });

export type ServerVersion = z.output<typeof serverVersion>;

const versionNumber = z
  .string()
  .regex(/^[1-9]\d{0,7}$/, "a version's number")
  .transform(Number);
export const versionParams = serverParams.extend({ version: versionNumber });

export const deleteServerQuery = ownerQuery.extend({
  undeploy: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true"),
});

export const templateName = z.string().regex(/^[a-z][a-z-]{0,40}$/, "a template's name");
export const templateSchema = createServerBody.pick({
  name: true,
  description: true,
  tools: true,
  executionOrder: true,
});
export const templateSummary = z.object({ template: z.string(), name: z.string(), description: z.string() });
