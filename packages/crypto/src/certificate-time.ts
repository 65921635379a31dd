/** Validity times (RFC 5280 §4.1.2.5): UTCTime through 2049, GeneralizedTime after that, whole seconds in UTC, in one form each. */

import { DerError, type DerReader, TAG } from "./der-reader.js";
import { element } from "./der-writer.js";
import { CertificateError } from "./errors.js";

/** RFC 5280 §4.1.2.5: dates through 2049 are UTCTime, later ones GeneralizedTime. */
const UTC_TIME_YEAR_MAX = 2049;
/** RFC 5280 §4.1.2.5.1: two digits from 50 on are years of the last century. */
const PIVOT = 50;
const FRACTION = /^[0-9]{14}\.[0-9]+Z$/;

/** @throws {DerError} and {CertificateError} "bad-validity" for a time that is well-formed and of the wrong form. */
export function readTime(reader: DerReader): Date {
  if (reader.has(TAG.utcTime)) {
    const text = latin1(reader.content(TAG.utcTime));
    const year = Number(text.slice(0, 2));
    return timeOf(year < PIVOT ? 2000 + year : 1900 + year, text, 2);
  }
  const text = latin1(reader.content(TAG.generalizedTime));
  // RFC 5280 §4.1.2.5.2: no fractions of seconds.
  if (FRACTION.test(text)) throw new CertificateError("bad-validity");
  const time = timeOf(Number(text.slice(0, 4)), text, 4);
  if (time.getUTCFullYear() <= UTC_TIME_YEAR_MAX) throw new CertificateError("bad-validity");
  return time;
}

/** @param time - Years 1950 to 9999; what is below a second is cut off. */
export function writeTime(time: Date): Uint8Array {
  const digits = time.toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const isUtc = time.getUTCFullYear() <= UTC_TIME_YEAR_MAX;
  const text = `${isUtc ? digits.slice(2) : digits}Z`;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return element(isUtc ? TAG.utcTime : TAG.generalizedTime, bytes);
}

/** @param text - A year of `yearDigits`, then month, day, hours, minutes and seconds of two digits each, then Z. */
function timeOf(year: number, text: string, yearDigits: 2 | 4): Date {
  if (text.length !== yearDigits + 11 || !/^[0-9]+Z$/.test(text)) throw new DerError("not-canonical");
  const field = (index: number): number => Number(text.slice(yearDigits + 2 * index, yearDigits + 2 * index + 2));
  const time = new Date(0);
  time.setUTCFullYear(year, field(0) - 1, field(1));
  time.setUTCHours(field(2), field(3), field(4));
  // A thirteenth month would be a month of the next year, which has an encoding of its own.
  const isItself =
    time
      .toISOString()
      .replace(/[-:T]/g, "")
      .slice(4 - yearDigits, 14) === text.slice(0, -1);
  if (!isItself) throw new DerError("not-canonical");
  return time;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}
