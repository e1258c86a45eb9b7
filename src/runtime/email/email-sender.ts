export interface Email {
  readonly from: string | null;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
}

/** Sends one message. What the service says of a failure is in `message`, made for the graph's author. */
export interface EmailSender {
  /** Why it would not be sent, as far as that is known before the service is asked; null where nothing stands against it. */
  faultOf(email: Email): string | null;
  send(
    email: Email,
    options: {
      readonly idempotencyKey: string;
      /** W3C's, of the run; null for none. */
      readonly traceparent: string | null;
      readonly signal: AbortSignal;
    },
  ): Promise<
    | { readonly kind: "sent"; readonly id: string }
    | { readonly kind: "failed"; readonly message: string; readonly isPassing: boolean }
  >;
}
