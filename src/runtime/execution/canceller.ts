/**
 * Who may end a step early, the caller or the step's group. The signal is asked for where somebody waits, never before:
 * making the one of a request costs more than a small run.
 */
export interface Canceller {
  readonly signal?: () => AbortSignal | undefined;
}
