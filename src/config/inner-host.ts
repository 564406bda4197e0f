/**
 * Hosts that a custom resource must not make this process talk to: the cluster's inside, its nodes, the machine itself, a cloud's
 * metadata. By name and by address; what a public name resolves to is looked at when it is connected to.
 */

import { BlockList, isIP } from "node:net";

const inner = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  inner.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 128],
  ["::1", 128],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  inner.addSubnet(network, prefix, "ipv6");

/** Names that only a cluster, or the machine, resolves. */
const innerNames = /(?:^localhost|\.localhost|\.local|\.svc|\.internal|\.cluster|\.home\.arpa)\.?$/;

/** The host of the URL where it is an inner one; null: it is not. The URL is one that `repositoryOf` took. */
export function innerHostOf(url: string): string | null {
  const scp = /^[^/:@\s]+@([^/:\s]+):/.exec(url);
  const host = (scp?.[1] ?? new URL(url).hostname).replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return isInner(host) ? host : null;
}

/** A name or an address, IPv6 without brackets. */
export function isInner(host: string): boolean {
  const family = isIP(host);
  if (family === 4) return inner.check(host, "ipv4");
  if (family === 6) return isInnerV6(host);
  // A single label is looked for in the pod's own namespace. Browsers and Node read 0x7f.1 as an address: no name ends in a number.
  return (
    innerNames.test(host) || !host.replace(/\.$/, "").includes(".") || /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/.test(host)
  );
}

function isInnerV6(address: string): boolean {
  if (inner.check(address, "ipv6")) return true;
  const mapped = /^(?:0*:)*:?ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return inner.check(mapped[1], "ipv4");
  // An IPv4 address in hexadecimal digits, as URLs write it.
  const hex = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (hex === null) return false;
  const value = (Number.parseInt(hex[1] ?? "", 16) << 16) | Number.parseInt(hex[2] ?? "", 16);
  const v4 = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
  return inner.check(v4, "ipv4");
}
