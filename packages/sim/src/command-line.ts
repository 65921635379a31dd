/** What the commands of this package share: the world they are given, their exit codes, and how an option is taken apart. */

export interface CommandHost {
  /** The text of a file. Throws an error that says why it cannot be read. */
  readText(path: string): string;
  writeText(path: string, text: string): void;
  print(line: string): void;
  printError(line: string): void;
}

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** `--name=value` or `--name`. */
export function splitOption(argument: string): readonly [name: string, value?: string] {
  const equals = argument.indexOf("=");
  return equals < 0 ? [argument] : [argument.slice(0, equals), argument.slice(equals + 1)];
}
