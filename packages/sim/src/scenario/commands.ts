/** The text of a scenario file, cut into commands (raft-scenarios spec §1). */

export interface Command {
  /** Starts at 1; 0 for the final step, which no line asks for. */
  readonly line: number;
  readonly name: string;
  readonly fields: readonly string[];
}

/** A scenario cannot be read, or does not hold. `line` is 0 for the final step. Correct the scenario, or the core. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
  readonly line: number;
  constructor(line: number, message: string, options?: ErrorOptions) {
    super(line === 0 ? `at the end: ${message}` : `line ${line}: ${message}`, options);
    this.line = line;
  }
}

/** Comments and trailing white space go; blank lines are left out; `====` ends the file. Nothing else is trimmed. */
export function parseScenario(text: string): readonly Command[] {
  const commands: Command[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const [name = "", ...fields] = raw.replace(/#.*/, "").trimEnd().split(",");
    if (name.startsWith("====")) break;
    if (name !== "" || fields.length > 0) commands.push({ line: index + 1, name, fields });
  }
  return commands;
}

export function commandText({ name, fields }: Command): string {
  return [name, ...fields].join();
}
