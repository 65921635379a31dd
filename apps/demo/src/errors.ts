/** The one error class of the demo: what a person at the terminal or at the page reads. */

/** Something the person can put right. `message` is one sentence without a prefix; show it and stop. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

/** The sentence of any thrown value, on one line. */
export function sentence(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.replace(/\s*\n\s*/g, " ").trim() || "an error without a message";
}

/** The system's error code (`EADDRINUSE`) of a thrown value, if it has one. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
