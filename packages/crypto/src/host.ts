/** The hosts a certificate may name: an IP address or a DNS name, told apart and checked strictly. */

export interface Host {
  readonly type: "ip" | "dns";
  readonly text: string;
}

/** RFC 1035 §2.3.4, as text. */
const DNS_CHARACTERS_MAX = 253;
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const IPV4_PART = /^(0|[1-9][0-9]{0,2})$/;
const IPV6_PART = /^[0-9a-f]{1,4}$/i;

/**
 * @param text - "10.0.0.1", "::1" or "node-1.example". No brackets, port, zone, wildcard, or dotted IPv4 inside IPv6.
 * @throws {RangeError} when it is none of those.
 */
export function parseHost(text: string): Host {
  if (isIpv4(text) || isIpv6(text)) return { type: "ip", text };
  if (isDnsName(text)) return { type: "dns", text };
  throw new RangeError("a host is an IPv4 address, an IPv6 address or a DNS name");
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => IPV4_PART.test(part) && Number(part) <= 255);
}

/** RFC 4291 §2.2, forms 1 and 2: eight groups, or fewer with exactly one "::" that stands for at least one. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!groups.every((group) => IPV6_PART.test(group))) return false;
  return halves.length === 2 ? groups.length <= 7 : groups.length === 8;
}

/** A last label of digits alone would make it look like an IP address (RFC 1123 §2.1), so that is refused. */
function isDnsName(text: string): boolean {
  const labels = text.split(".");
  if (text.length > DNS_CHARACTERS_MAX || !labels.every((label) => DNS_LABEL.test(label))) return false;
  return !/^[0-9]+$/.test(labels.at(-1) ?? "");
}
