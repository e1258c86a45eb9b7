import * as z from "zod";
import type { Call, Scope } from "../core/actor.ts";
import { type AppError, validationFailed } from "../core/errors.ts";
import { type Json, type JsonObject, ownProperty } from "../core/json.ts";
import type { Result } from "../core/result.ts";

/** What a tool may know of the message that calls it. */
export interface ToolCall {
  readonly call: Call;
  /** Where an anonymous caller comes from; tells callers apart in limits. */
  readonly callerAddress: string;
  /** Tells whoever waits how far it is, out of `total`; nobody listens where no progress was asked for. */
  readonly progress: (done: number, total: number, message: string) => void;
}

export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** One tool of the product, as it is listed and called. */
export interface ProductTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  /** Without it a key neither sees the tool nor may call it. */
  readonly scope: Scope;
  readonly inputSchema: JsonObject & { readonly type: "object" };
  readonly outputSchema: JsonObject & { readonly type: "object" };
  readonly call: (given: Json, toolCall: ToolCall) => Promise<Result<Outcome>>;
}

export interface Outcome {
  /** Matches the tool's `outputSchema`. */
  readonly value: object;
  /** The tool did its work, and what came out of it is a failure. */
  readonly isError?: boolean;
  /** The run that the value came out of. */
  readonly runId?: string;
}

/** Ties a tool's declaration to what it does: the schema that checks the arguments is the one that is listed. */
export function defineTool<Input extends z.ZodType, Output extends z.ZodType>(
  spec: Omit<ProductTool, "inputSchema" | "outputSchema" | "call"> & {
    readonly input: Input;
    readonly output: Output;
    readonly run: (
      input: z.output<Input>,
      toolCall: ToolCall,
    ) => Promise<Result<Outcome & { value: z.output<Output> }>>;
  },
): ProductTool {
  const { input, output, run, ...listed } = spec;
  return {
    ...listed,
    inputSchema: toObjectSchema(input, "input"),
    outputSchema: toObjectSchema(output, "output"),
    async call(given, toolCall) {
      const parsed = input.safeParse(given);
      if (parsed.success) return run(parsed.data, toolCall);
      return validationFailed(parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })));
    },
  };
}

/** What is listed of a schema beside what it checks itself; lengths where its own check counts in another way. */
interface Listed {
  readonly description: string;
  readonly maxLength?: number;
}

const descriptions = z.registry<Listed>();

/** The schema with a sentence for whoever fills it in. */
export function described<T extends z.ZodType>(
  schema: T,
  description: string,
  more: Omit<Listed, "description"> = {},
): T {
  const copy = schema.clone();
  descriptions.add(copy, { description, ...more });
  return copy;
}

/** Everything in place: many clients don't follow references. Answers may carry more than their schema names. */
function toObjectSchema(schema: z.ZodType, io: "input" | "output"): ProductTool["inputSchema"] {
  const {
    $schema: _,
    $defs: __,
    ...json
  } = z.toJSONSchema(schema, {
    io,
    metadata: descriptions,
    unrepresentable: "any",
    reused: "inline",
    override({ jsonSchema }) {
      if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  // Only what holds itself is still a reference: any JSON.
  const inPlace: JsonObject = JSON.parse(JSON.stringify(json), (_key, inner: unknown) =>
    typeof ownProperty(inner, "$ref") === "string" ? {} : inner,
  );
  return { ...inPlace, type: "object" };
}

/** A failure as a model reads it: what a program would branch on, and what to do better. */
export function describeFailure(error: AppError): string {
  const { code, detail } = error;
  const errors = error.code === "VALIDATION_FAILED" ? { errors: error.errors } : {};
  const retry = "retryAfterSeconds" in error ? { retryAfterSeconds: error.retryAfterSeconds } : {};
  const agent =
    error.code === "ALREADY_DEPLOYED"
      ? { agentId: error.agentId, endpoint: error.endpoint, dashboardUrl: error.dashboardUrl }
      : {};
  return JSON.stringify({ code, detail, ...errors, ...retry, ...agent });
}
