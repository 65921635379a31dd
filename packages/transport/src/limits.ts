/** Bounds every transport keeps. Units are in the names; each can be lowered by an option of the same name in lower case. */

/** Greatest whole frame on a connection that has proven nothing (channel-v2 §1). */
export const UNPROVEN_FRAME_BYTES_MAX = 64 * 1024;
/** Greatest whole frame on an authentic connection (channel-v2 §1). */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024;
/**
 * Outgoing bytes held for one peer. About a second of a fast link: what is older than that, consensus has given up and sends again. A
 * frame that finds the buffer empty always fits, so this may be less than `FRAME_BYTES_MAX`.
 */
export const BUFFER_BYTES_MAX = 16 * 1024 * 1024;
/** Parts under this are copied together and leave in one write; from it on the copy costs more than a vectored write (performance §4). */
export const COPY_BYTES_MAX = 8 * 1024;

if (UNPROVEN_FRAME_BYTES_MAX > FRAME_BYTES_MAX || COPY_BYTES_MAX > UNPROVEN_FRAME_BYTES_MAX) {
  throw new RangeError("the frame limits contradict each other");
}
