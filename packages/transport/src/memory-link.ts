/** One direction of a pair in the in-memory network. */
import type { NodeId } from "@sealane/wire";

/** One life of a link, as one TCP connection is. Frames belong to the one they were sent in. */
export interface Session {
  /** What is in flight is lost. */
  broken: boolean;
  /** The receiver has called one of its frames authentic. */
  authentic: boolean;
}

/** Everything known about one direction of a pair. */
export class DirectedLink {
  readonly from: NodeId;
  readonly to: NodeId;
  session: Session = newSession();
  /** Delivery keeps order: nothing that is not reordered is due before this. */
  lastDueMs = 0;
  /** When what was sent so far has left, where bandwidth is limited. */
  freeMs = 0;
  /** Bytes in flight. */
  bufferedBytes = 0;
  framesSent = 0;
  framesReceived = 0;
  bufferFull = 0;
  noPath = 0;
  tooLarge = 0;

  constructor(from: NodeId, to: NodeId) {
    this.from = from;
    this.to = to;
  }

  /** Ends the session. @param broken - What is in flight is lost; otherwise it still arrives. */
  end(broken: boolean): void {
    if (broken) this.session.broken = true;
    this.session = newSession();
    this.bufferedBytes = 0;
  }
}

function newSession(): Session {
  return { broken: false, authentic: false };
}
