/** Whether an `Accept` header asks for events as they happen. */
export function acceptsEventStream(accept: string | undefined): boolean {
  return /\btext\/event-stream\b/i.test(accept ?? "");
}
