/** The fenced `ts` blocks of a Markdown text, in order, without the fences. */
export function tsBlocks(markdown: string): readonly string[] {
  return Array.from(markdown.matchAll(/^```ts\r?\n(.*?)^```[ \t]*\r?$/gms), (match) => match[1] ?? "");
}
