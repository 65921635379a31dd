/** Questions of the explorer to the demo's server, and its answers as what they should be, or one sentence on why not. */
import { nobleSuite } from "@sealane/crypto";
import { type DecodedEntry, decodeEntry, LedgerError } from "@sealane/ledger";
import { fromBase64, WireError } from "@sealane/wire";
import type { z } from "zod";
import { type LedgerPageView, Refusal } from "../../ledger-feed.js";

export interface ListedEntry {
  readonly entry: DecodedEntry;
  readonly file: string;
  readonly offset: number;
}

export type Asked<T> = { readonly view: T } | { readonly trouble: string };

/** @param path - Behind `/api/nodes/<node>/ledger`. */
export async function ask<S extends z.ZodType>(node: number, path: string, schema: S): Promise<Asked<z.output<S>>> {
  let ok: boolean;
  let body: unknown;
  try {
    const response = await fetch(`/api/nodes/${node}/ledger${path}`);
    ({ ok } = response);
    body = await response.json();
  } catch {
    return { trouble: "The demo cannot be reached." };
  }
  if (!ok) return { trouble: Refusal.safeParse(body).data?.error ?? "The demo refused, and did not say why." };
  const parsed = schema.safeParse(body);
  return parsed.success ? { view: parsed.data } : { trouble: "The demo sent something else than it was asked for." };
}

/** The entries of a page up to the first that cannot be read, and a sentence on that one. */
export function readEntries({ entries }: LedgerPageView): {
  readonly listed: readonly ListedEntry[];
  readonly trouble?: string;
} {
  const listed: ListedEntry[] = [];
  for (const { seqno, bytes, file, offset } of entries) {
    try {
      listed.push({ entry: decodeEntry(nobleSuite, undefined, fromBase64(bytes)), file, offset });
    } catch (error) {
      if (!(error instanceof LedgerError || error instanceof WireError)) throw error;
      return { listed, trouble: `Entry ${seqno} (${file}, offset ${offset}) cannot be read: ${error.message}.` };
    }
  }
  return { listed };
}
