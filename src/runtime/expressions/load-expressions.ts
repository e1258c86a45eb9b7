import type { Expressions } from "./expression.ts";

let loading: Promise<Expressions> | undefined;

/** Plain functions, loaded once per isolate: graphs without expressions do not pay for them. */
export function loadExpressions(): Promise<Expressions> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Expressions> {
  try {
    const { createExpressions } = await import("./cel.ts");
    return createExpressions();
  } catch (error) {
    loading = undefined;
    throw error;
  }
}
