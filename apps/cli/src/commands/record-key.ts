/** The key of a record as an argument. */
import { isRecordKey } from "@sealane/client";
import { InvalidArgumentError } from "commander";

export function recordKey(text: string): string {
  if (isRecordKey(text)) return text;
  throw new InvalidArgumentError("Expected 1 to 256 characters of A-Z a-z 0-9 . _ ~ -");
}
