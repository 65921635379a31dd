/** IP addresses between text and octets, as a certificate holds them (RFC 5280 §4.2.1.6): 4 octets or 16. */

/** @param text - A valid address, as `parseHost` finds it. */
export function ipToOctets(text: string): Uint8Array {
  if (!text.includes(":")) return Uint8Array.from(text.split("."), Number);
  const [left = [], right = []] = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
  // RFC 4291 §2.2: "::" stands for the groups of zeros that are missing.
  const groups = [...left, ...new Array<string>(8 - left.length - right.length).fill("0"), ...right];
  return Uint8Array.from(
    groups.flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}

/** @returns The address in its one text form (RFC 5952 §4); undefined when the octets are no address. */
export function ipFromOctets(octets: Uint8Array): string | undefined {
  if (octets.length === 4) return octets.join(".");
  if (octets.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => (octets[2 * index] ?? 0) * 256 + (octets[2 * index + 1] ?? 0));
  const { start, length } = longestRunOfZeros(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  return length < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** RFC 5952 §4.2.3: the first of the longest. */
function longestRunOfZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index + 1 - length, length };
  }
  return best;
}
