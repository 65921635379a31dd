/** What an entry is about, in a few words, from its public part alone. */
import { type DecodedEntry, IV_OFFSET, PUBLIC_LENGTH_OFFSET, TAG_OFFSET } from "@sealane/ledger";
import { formatTxId } from "@sealane/wire";
import { whole } from "../format.js";

export type EntryKind = "signature" | "service" | "application";

/** Names of the tables of the service itself, by what a person calls them. */
const TABLE_NAMES: Readonly<Record<string, string>> = {
  "public:ccf.gov.nodes.info": "nodes",
  "public:ccf.gov.nodes.endorsed_certificates": "endorsed certificates",
  "public:ccf.gov.service.info": "service",
  "public:ccf.gov.members.certs": "members",
  "public:sealane.gov.ballots": "ballots",
  "public:sealane.gov.configuration": "configuration",
};

export function kindOf({ isSignature, publicMaps }: DecodedEntry): EntryKind {
  if (isSignature) return "signature";
  return publicMaps.some(({ name }) => /^public:(ccf|sealane)\./.test(name)) ? "service" : "application";
}

export function aboutEntry(entry: DecodedEntry): string {
  if (entry.signature !== undefined) return `over ${whole(entry.seqno)} leaves`;
  const tables = entry.publicMaps.map(({ name }) => TABLE_NAMES[name] ?? name.replace(/^public:/, ""));
  const sealed = entry.privateBytes === 0 ? [] : [`${whole(entry.privateBytes)} encrypted bytes`];
  return [...tables, ...sealed].join(", ");
}

export function txIdOf({ view, seqno }: DecodedEntry): string {
  return formatTxId({ view, seqno });
}

/** Parts of a stored entry (ledger spec §2), in order. */
export const REGIONS = [
  { name: "header", what: "Version, flags, size" },
  { name: "tag", what: "GCM tag" },
  { name: "iv", what: "IV: seqno and view" },
  { name: "public", what: "Public part, readable" },
  { name: "private", what: "Private part, encrypted" },
] as const;

export type RegionName = (typeof REGIONS)[number]["name"];

/** @param privateBytes - The length of the ciphertext, which comes last. */
export function regionAt(offset: number, entryBytes: number, privateBytes: number): RegionName {
  if (offset < TAG_OFFSET) return "header";
  if (offset < IV_OFFSET) return "tag";
  if (offset < PUBLIC_LENGTH_OFFSET) return "iv";
  return offset < entryBytes - privateBytes ? "public" : "private";
}
