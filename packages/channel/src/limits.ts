/** The bounds of one channel: limits of use per key, time-outs, queue sizes and rates (channel-v2 §4 and §6, channel-v1-wire §6). */

/** §6: after 2^24.5 records under one AES-256-GCM key its security margin is used up. No configuration may exceed this. */
export const RECORDS_MAX = 23_726_566;
/** §6: after 2^20 forgeries one tag check in 2^108 would have passed; the key is given up. */
export const FAILED_OPENS_MAX = 2 ** 20;

/** Every bound an owner may tighten or, within the protocol's own maxima, relax. All are positive integers. */
export interface ChannelLimits {
  /**
   * Records sent under one key before a new exchange starts (§6). Version 1 counts both directions together, and unless given this is half of
   * `recordsMax` (channel-v1-wire §6).
   */
  readonly rekeyAtRecords: number;
  /** Age of the keys at which a new exchange starts, in milliseconds (§6). */
  readonly rekeyAtAgeMs: number;
  /** Records sent under one key before it is no longer used (§6); the message limit of version 1. At most `RECORDS_MAX`. */
  readonly recordsMax: number;
  /** Failed opens under one key before it is no longer used (§6). At most `FAILED_OPENS_MAX`. */
  readonly failedOpensMax: number;
  /** Forwarded requests queued before keys exist (§6); further ones are refused to the caller. */
  readonly queuedForwardedMax: number;
  /** How long an init waits for its response, a final for the first record, a response for its final (§4). */
  readonly handshakeTimeoutMs: number;
  /** How long the receive key of before a switch is kept at most (§4). */
  readonly oldReceiveKeyMs: number;
  /** Handshakes answered and not yet finished, kept at once (§4). */
  readonly pendingHandshakesMax: number;
  /** Handshake messages per second that may cost a signature verification (§4). */
  readonly attemptsPerSecond: number;
  /** How many of them may come at once (§4). */
  readonly attemptsBurst: number;
  /** Shortest pause before a fresh attempt (§4). */
  readonly backoffMsMin: number;
  /** Longest pause before a fresh attempt (§4). */
  readonly backoffMsMax: number;
}

/** The values of channel-v2 §4 and §6. */
export const DEFAULT_LIMITS: ChannelLimits = {
  rekeyAtRecords: 2 ** 23,
  rekeyAtAgeMs: 3_600_000,
  recordsMax: RECORDS_MAX,
  failedOpensMax: FAILED_OPENS_MAX,
  queuedForwardedMax: 10,
  handshakeTimeoutMs: 2_000,
  oldReceiveKeyMs: 5_000,
  pendingHandshakesMax: 4,
  attemptsPerSecond: 10,
  attemptsBurst: 20,
  backoffMsMin: 100,
  backoffMsMax: 5_000,
};

/**
 * Fills in the defaults and checks how the bounds relate.
 * @throws {RangeError} naming the limit that is no positive integer, above the protocol's maximum, or in conflict with another.
 */
export function resolveLimits(overrides: Partial<ChannelLimits> = {}, version: 1 | 2 = 2): ChannelLimits {
  const halfOfMax = Math.floor((overrides.recordsMax ?? DEFAULT_LIMITS.recordsMax) / 2);
  const defaults = version === 1 ? { ...DEFAULT_LIMITS, rekeyAtRecords: halfOfMax } : DEFAULT_LIMITS;
  const limits = { ...defaults, ...overrides };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`limit ${name} must be a positive integer`);
  }
  if (limits.recordsMax > RECORDS_MAX) throw new RangeError(`limit recordsMax must be at most ${RECORDS_MAX}`);
  if (limits.failedOpensMax > FAILED_OPENS_MAX) {
    throw new RangeError(`limit failedOpensMax must be at most ${FAILED_OPENS_MAX}`);
  }
  // A new exchange needs room to finish before the old key stops.
  if (limits.rekeyAtRecords >= limits.recordsMax) throw new RangeError("limit rekeyAtRecords must be below recordsMax");
  if (limits.backoffMsMin > limits.backoffMsMax)
    throw new RangeError("limit backoffMsMin must not exceed backoffMsMax");
  return limits;
}
