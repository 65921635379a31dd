/** What the benchmark uses of `@hyperswarm/secret-stream`, which comes without types. */
declare module "@hyperswarm/secret-stream" {
  import type { Duplex } from "node:stream";

  export default class SecretStream {
    constructor(isInitiator: boolean, rawStream: Duplex, options?: { readonly keyPair?: unknown });
    static keyPair(): unknown;
    /** Settles when the handshake is done. */
    readonly opened: Promise<boolean>;
    write(message: Uint8Array): boolean;
    on(event: "data", listener: (message: Uint8Array) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    destroy(): void;
  }
}
