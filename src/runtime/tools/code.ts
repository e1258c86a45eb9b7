import * as z from "zod";
import type { Json, JsonObject } from "../../core/json.ts";
import { anyJson } from "../config-schemas.ts";
import type { Scope } from "../graph/references.ts";
import { CODE_MAX_BYTES } from "../sandbox/limits.ts";
import { defineTool, fail, failForNow, output } from "../tool.ts";

const encoder = new TextEncoder();

const source = z
  .string()
  .refine((text) => encoder.encode(text).length <= CODE_MAX_BYTES, `at most ${CODE_MAX_BYTES} bytes`)
  .refine(
    (text) => DEFAULT_EXPORT.test(text),
    "a module with `export default async (input, { outputs }) => …` is needed",
  );

/** A look, not a parse: what is no JavaScript fails when it is run. */
const DEFAULT_EXPORT = /\bexport\s{0,9}(?:default\b|\{[^}]{0,999}\bdefault\b)/;

/** What references read beside the steps' outputs. */
const NOT_STEPS: ReadonlySet<string> = new Set(["request", "run", "agent", "owner", "secrets"]);

/** A request may have four isolates of authors' code in flight; the platform refuses the fifth. */
const CODE_MAX_AT_ONCE = 4;

export const codeTool = defineTool({
  name: "code",
  description:
    "Runs JavaScript of the author's own in a sandbox: one module whose default export is " +
    "`async (input, { outputs }) => json`. `input` is the run's input, `outputs` the steps' outputs so far by their ids. " +
    "It has no network, no bindings, no imports and no log; its module scope may or may not outlive a run. " +
    `At most ${CODE_MAX_AT_ONCE} such steps run at once.`,
  config: z.strictObject({ source }),
  output: anyJson,
  // A reference in it would make code of what a caller sent.
  literals: ["source"],
  readsAll: true,
  maxAtOnce: CODE_MAX_AT_ONCE,
  effect: "none",
  async run({ source }, { services, ownerId, input, scope, signal }) {
    if (services.sandbox === null) return fail(NOT_HERE);
    const answer = await services.sandbox.run(source, { input, outputs: outputsOf(scope) }, { ownerId, signal });
    if (answer.kind === "output") return output(answer.value);
    return answer.isPassing ? failForNow(answer.message) : fail(answer.message);
  },
});

const NOT_HERE =
  "code is not available here: the Worker has no Worker Loader. Its operator adds a worker_loaders binding named LOADER " +
  "(a paid plan on Cloudflare); `transform` does without";

/** No secrets and no headers: what code is given is what an output may show. */
function outputsOf(scope: Scope): JsonObject {
  const entries: [string, Json][] = [];
  for (const [name, value] of scope) if (!NOT_STEPS.has(name)) entries.push([name, value]);
  return Object.fromEntries(entries);
}
