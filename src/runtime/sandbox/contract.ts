import type { Json, JsonObject } from "../../core/json.ts";

/** Runs an author's own JavaScript apart from everything: no network, no bindings, its own time. */
export interface Sandbox {
  run(
    source: string,
    given: { readonly input: Json; readonly outputs: JsonObject },
    options: { readonly ownerId: string; readonly signal: AbortSignal },
  ): Promise<
    | { readonly kind: "output"; readonly value: Json }
    /** `isPassing` where the code may have no part in it. */
    | { readonly kind: "failed"; readonly message: string; readonly isPassing?: boolean }
  >;
}
