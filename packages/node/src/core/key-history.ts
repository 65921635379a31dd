/** What an application says so that a node can show the past of one of its keys. */
import type { MapHandle } from "@sealane/kv";

/** One key whose committed past is asked for. */
export interface KeyHistory {
  /** The map's name. */
  readonly map: string;
  readonly key: Uint8Array;
  /** A value of the past as JSON has it. */
  show(value: Uint8Array): unknown;
}

/**
 * The past of one key of a typed map.
 * @example
 * histories: { "GET /greetings/:to/history": ({ params }) => keyHistory(greetings, params.to ?? "") },
 */
export function keyHistory<K, V>(map: MapHandle<K, V>, key: K): KeyHistory {
  return { map: map.name, key: map.key.encode(key), show: (value) => map.value.decode(value) };
}
