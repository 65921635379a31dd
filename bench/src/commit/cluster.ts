/** A replicated service under load, whoever it is: commits one write after another, and says what that cost its servers. */

export interface Usage {
  /** User and system, of all server processes since they started, in µs. */
  readonly cpuUs: number;
  /** Calls that made something durable, of all server processes. */
  readonly syncs: number;
}

export interface Client {
  /** Settles when the write is durable on a majority. */
  put(key: string, value: string): Promise<void>;
  close(): void;
}

export interface Cluster {
  /** @param inFlight - How many writes the client will have under way at once. */
  client(inFlight: number): Promise<Client>;
  usage(): Promise<Usage>;
  close(): Promise<void>;
}
