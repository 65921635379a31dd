/**
 * Which of a pair's connections carries the next frame. Both ends follow the same rule, so that in the steady state each direction uses
 * the connection that its *receiver* dialled: only there can the receiver read in place (performance §3).
 *
 * 1. The connection the peer dialled, once it is authentic here, and once our own is confirmed there (or is not alive).
 * 2. The connection we dialled.
 * 3. A connection that claims the peer's id but has proven nothing: better than none, and never instead of one of the others, or an
 *    impostor who claims an id could draw off what we send to its owner.
 *
 * Why rule 1 waits for our own connection to be confirmed: the peer will only use it once it has seen authentic frames on it, and those
 * are ours. If each side moved over as soon as it could, the one that is slower would never have sent any there. So for a *probation* the
 * frames go over our own connection although there is a better one. It is short, because an address that leads nowhere (a stale one, a
 * black hole) must not swallow frames while a proven connection is there.
 *
 * Large frames go only where the peer has confirmed that it takes them.
 */

/** A live connection, as far as the choice depends on it. */
export interface Path {
  /** The peer has said that our frames there are authentic and that it takes large ones. */
  readonly confirmed: boolean;
}

export interface Paths<T extends Path> {
  /** Dialled by the peer, authentic. */
  readonly accepted: T | undefined;
  /** Dialled by us, connected. */
  readonly dialled: T | undefined;
  /** Dialled by somebody who claims to be the peer; the one heard from last. */
  readonly claimed: T | undefined;
  readonly probationOver: boolean;
}

/** Frames, and periods of `keepaliveMs`, that our own connection gets to be confirmed while there is a proven one. */
export const PROBATION_FRAMES = 32;
export const PROBATION_TICKS = 2;

/** @param large - The frame is over the bound for connections that have proven nothing. */
export function chooseConnection<T extends Path>(paths: Paths<T>, large: boolean): T | undefined {
  const { accepted, dialled, claimed, probationOver } = paths;
  if (large) {
    const candidates = accepted === undefined && dialled === undefined ? [claimed] : [accepted, dialled];
    return candidates.find((connection) => connection?.confirmed);
  }
  const dialledIsSettled = dialled === undefined || dialled.confirmed || probationOver;
  if (accepted !== undefined && dialledIsSettled) return accepted;
  return dialled ?? claimed;
}
