/** What every call of the client takes. */
export interface CallOptions {
  /** Ends the call with `ClientError` `aborted`. What was sent may still be executed. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the client's. */
  readonly timeoutMs?: number | undefined;
}
