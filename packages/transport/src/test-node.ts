/** What tests of transports share: the world they run in, and a node that keeps what it received. */
import { NodeId } from "@sealane/wire";
import type { Frame, FrameHandler, LinkEvent, LinkState, Transport } from "./transport.js";

export interface TransportUnderTest {
  readonly transport: Transport;
  /** What `setPeer` of another transport takes to reach this one. */
  readonly address: string;
}

export interface OpenOptions {
  readonly self: NodeId;
  readonly onFrame: FrameHandler;
  readonly onLink: (event: LinkEvent) => void;
  readonly frameBytesMax?: number;
  readonly unprovenFrameBytesMax?: number;
  readonly bufferBytesMax?: number;
  /** Take up this address again: a restart. */
  readonly address?: string;
}

/** One world in which transports can reach each other. */
export interface TransportFixture {
  open(options: OpenOptions): Promise<TransportUnderTest>;
  /** Lets the world go on a little: a turn of the event loop, or the next step of virtual time. */
  progress(): Promise<void>;
}

export interface TransportFactory {
  readonly name: string;
  create(): TransportFixture;
}

/** Copies of what one transport received and reported. */
export class TestNode {
  readonly id: NodeId;
  readonly received: Frame[] = [];
  readonly events: LinkEvent[] = [];
  /** What the frame handler answers; a function so that tests can react to a frame. */
  verdict: (frame: Frame) => "authentic" | "unproven" = () => "unproven";
  #underTest: TransportUnderTest | undefined;

  constructor(id: NodeId) {
    this.id = id;
  }

  get transport(): Transport {
    return this.#opened().transport;
  }

  get address(): string {
    return this.#opened().address;
  }

  async open(fixture: TransportFixture, options: Partial<OpenOptions> = {}): Promise<this> {
    this.#underTest = await fixture.open({
      self: this.id,
      onFrame: ({ from, type, payload }) => {
        const frame = { from, type, payload: payload.slice() };
        this.received.push(frame);
        return this.verdict(frame);
      },
      onLink: (event) => this.events.push(event),
      ...options,
    });
    return this;
  }

  link(peer: NodeId): LinkState | undefined {
    return this.transport.peers().find((link) => link.peer === peer);
  }

  happened(type: LinkEvent["type"]): LinkEvent[] {
    return this.events.filter((event) => event.type === type);
  }

  #opened(): TransportUnderTest {
    if (this.#underTest === undefined) throw new TypeError("open the node first");
    return this.#underTest;
  }
}

/** A made-up node id: 64 times one hex digit. */
export function testId(digit: string): NodeId {
  return NodeId.parse(digit.repeat(64));
}
