/**
 * The frame by which two transports keep a connection known and alive. An addition of ours to the framing of channel-v1-wire §2: a
 * channel frame (type 0) whose payload no channel ever sends, so a peer that does not know it refuses it like any unknown kind.
 *
 *     0  8  "sl/link1" in ASCII, in the place of a channel message's kind
 *     8  1  flags: bit 0 = "a frame of yours on this connection was authentic, and I take large frames on it"
 *
 * It says three things. Sent by the side that dialled, it names the sender before there is anything else to send. Sent when nothing else
 * was sent for a while, it shows that the connection lives. With bit 0 it tells the peer that the frame limit is lifted; without that, a
 * sender would have to guess when a large frame is safe to send, and a wrong guess closes the connection.
 *
 * Nothing in it is proven. A forged one makes us send frames on one connection instead of another of the same peer, or marks a connection
 * as alive that its forger holds anyway; what is sent stays sealed by the channel.
 */
import { FRAME_CHANNEL, type FrameType } from "@sealane/wire";

export const LINK_PAYLOAD_BYTES = 9;

const MAGIC = [0x73, 0x6c, 0x2f, 0x6c, 0x69, 0x6e, 0x6b, 0x31] as const;
const CONFIRMS = 0x01;

export interface LinkFrame {
  readonly confirms: boolean;
}

export function encodeLinkFrame({ confirms }: LinkFrame): Uint8Array {
  return Uint8Array.of(...MAGIC, confirms ? CONFIRMS : 0);
}

/** The link frame in a payload, or `undefined` for everything that is for the frame handler. Unknown flags are ignored. */
export function decodeLinkFrame(type: FrameType, payload: Uint8Array): LinkFrame | undefined {
  if (type !== FRAME_CHANNEL || payload.length !== LINK_PAYLOAD_BYTES) return undefined;
  if (MAGIC.some((byte, index) => payload[index] !== byte)) return undefined;
  return { confirms: ((payload[MAGIC.length] ?? 0) & CONFIRMS) !== 0 };
}
