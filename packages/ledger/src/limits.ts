/** Sizes and bounds of entries (ledger spec §2, §3). Whatever exceeds one is refused with `too-large` before memory is taken for it. */

const MIB = 1024 * 1024;

/** Version, flags, size (§2). */
export const ENTRY_HEADER_BYTES = 8;
export const TAG_BYTES = 16;
export const IV_BYTES = 12;
/** Offset of the GCM tag; the IV and the length of the public domain follow. */
export const TAG_OFFSET = ENTRY_HEADER_BYTES;
export const IV_OFFSET = TAG_OFFSET + TAG_BYTES;
export const PUBLIC_LENGTH_OFFSET = IV_OFFSET + IV_BYTES;
/** Where the public domain starts. */
export const PUBLIC_OFFSET = PUBLIC_LENGTH_OFFSET + 8;
export const DIGEST_BYTES = 32;

/** Entry type, seqno, reserved: the least public domain (type 0). */
export const PUBLIC_BYTES_MIN = 1 + 8 + 8;
export const ENTRY_BYTES_MIN = PUBLIC_OFFSET + PUBLIC_BYTES_MIN;

/** A whole entry. Half of the 64 MiB a frame between nodes may have, so that an entry always fits one beside its header. */
export const ENTRY_BYTES_MAX = 32 * MIB;
/** Maps in one domain of an entry. The most any CCF ledger at hand has is 11. */
export const MAPS_MAX = 1_024;
/** Writes and removes in one domain of an entry: bounds the objects that small keys can blow an entry up to. */
export const CHANGES_MAX = 262_144;
/** A map's name in UTF-8. */
export const NAME_BYTES_MAX = 1_024;

/** The entry of a snapshot file: all live state at once. */
export const SNAPSHOT_BYTES_MAX = 1024 * MIB;
/** Keys in one map of a snapshot. */
export const SNAPSHOT_KEYS_MAX = 4_194_304;
/** Maps in one domain of a snapshot: all that a service has, where an entry has those of one transaction. */
export const SNAPSHOT_MAPS_MAX = 65_536;
/** Views in the history of a snapshot, 8 bytes each. An election a minute takes two years to get there. */
export const VIEWS_MAX = 1_048_576;

/** Default size at which a chunk file ends (§1.3). */
export const CHUNK_BYTES_DEFAULT = 5 * MIB;
/** §1.3: positions in a chunk are u32. */
export const CHUNK_BYTES_MAX = 0xffff_ffff;

/** Entry flags (§2). */
export const FLAG_CHUNK_ENDS_AFTER = 0x01;
export const FLAG_CHUNK_ENDS_BEFORE = 0x02;
export const FLAGS_KNOWN = FLAG_CHUNK_ENDS_AFTER | FLAG_CHUNK_ENDS_BEFORE;
