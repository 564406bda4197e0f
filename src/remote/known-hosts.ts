/** sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: which keys a host may show. */

import { createHash, createHmac } from "node:crypto";

export interface KnownHost {
  readonly keys: readonly HostKey[];
  /** Keys that no host may show. */
  readonly revoked: readonly HostKey[];
  /** A certificate authority is named for the host; certificates of hosts are not supported. */
  readonly hasAuthority: boolean;
}

export interface HostKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, ... */
  readonly type: string;
  /** As it goes over the wire. */
  readonly blob: Buffer;
}

/** Lines that are not understood know nobody. */
export function knownHostOf(text: string, place: { readonly host: string; readonly port: number }): KnownHost {
  const name = place.port === 22 ? place.host : `[${place.host}]:${place.port}`;
  const keys: HostKey[] = [];
  const revoked: HostKey[] = [];
  let hasAuthority = false;
  for (const line of text.split("\n")) {
    const [, marker, patterns = "", type = "", base64 = ""] = lineShape.exec(line) ?? [];
    if (patterns === "" || !isNamed(patterns, name)) continue;
    const key = { type, blob: Buffer.from(base64, "base64") };
    if (typeOf(key.blob) !== type) continue;
    if (marker === undefined) keys.push(key);
    else if (marker === "@revoked") revoked.push(key);
    else hasAuthority = true;
  }
  return { keys, revoked, hasAuthority };
}

const lineShape = /^\s*(?:(@revoked|@cert-authority)\s+)?([^\s@#]\S*)\s+(\S+)\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/;

/** As `ssh-keygen -lf` shows it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

export function isAmong(keys: readonly HostKey[], blob: Buffer): boolean {
  return keys.some((key) => key.blob.equals(blob));
}

/** The type stands first in the key itself. */
export function typeOf(blob: Buffer): string {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  return length > 0 && length <= blob.length - 4 ? blob.toString("latin1", 4, 4 + length) : "";
}

function isNamed(patterns: string, name: string): boolean {
  if (patterns.startsWith("|")) return isHashed(patterns, name);
  let named = false;
  for (const pattern of patterns.split(",")) {
    const negated = pattern.startsWith("!");
    if (!isMatch(negated ? pattern.slice(1) : pattern, name)) continue;
    // One that excludes it has the last word, wherever it stands.
    if (negated) return false;
    named = true;
  }
  return named;
}

function isHashed(text: string, name: string): boolean {
  const [, salt, digest] = /^\|1\|([A-Za-z0-9+/]+={0,2})\|([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  if (salt === undefined || digest === undefined) return false;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === digest;
}

/** `*` and `?`; case counts for nothing in a host's name. */
function isMatch(pattern: string, name: string): boolean {
  const source = pattern.toLowerCase().replaceAll(/[\\^$.+|()[\]{}*?]/g, (character) => {
    if (character === "*") return ".*";
    return character === "?" ? "." : `\\${character}`;
  });
  return new RegExp(`^${source}$`, "s").test(name);
}
