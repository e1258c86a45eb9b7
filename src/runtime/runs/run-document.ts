import type { Document, StoredDocument } from "../../storage/documents/documents.ts";
import { type RunTrace, runTraceSchema, type StepTrace, stepTraceSchema } from "../contract.ts";
import { agentOf } from "./run-ids.ts";
import { writeSteps } from "./trace-size.ts";

export type RunDocument = Document & {
  readonly _id: string;
  readonly durationMs: number;
  readonly stepCount: number;
  readonly steps: string;
};

/** A run as it is stored: `agentId` is its keeper, and the steps are text, since they hold any names. */
export function toDocument(keeper: string, trace: RunTrace): RunDocument {
  const { runId, agentId: _, steps, error, ...fields } = trace;
  return {
    _id: runId,
    agentId: keeper,
    ...fields,
    // A text that was cut may end in half a character, which no store takes.
    error: error === null ? null : error.toWellFormed(),
    stepCount: steps.length,
    steps: writeSteps(steps),
  };
}

/** Null where the document is no run. A step that cannot be read is left out. */
export function readTrace({ _id, agentId, steps, ...fields }: StoredDocument): RunTrace | null {
  if (typeof agentId !== "string") return null;
  const run = runTraceSchema.safeParse({ ...fields, runId: _id, agentId: agentOf(agentId), steps: readSteps(steps) });
  return run.success ? run.data : null;
}

function readSteps(stored: unknown): readonly StepTrace[] {
  const steps = typeof stored === "string" ? parse(stored) : stored;
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step) => {
    const read = stepTraceSchema.safeParse(step);
    return read.success ? [read.data] : [];
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
