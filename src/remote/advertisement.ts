/** gitprotocol-pack, reference discovery: what refs a remote has, and what it can do. Protocol versions 0 and 1. */

import type { PacketReader } from "./pkt-line.ts";
import { remoteError } from "./remote-error.ts";
import { wordsOf } from "./words.ts";

export interface Advertisement {
  /** Ids in hex by full name, of those that were asked for. */
  readonly refs: ReadonlyMap<string, string>;
  /** How many refs the remote told of in all. */
  readonly count: number;
  /** What HEAD names there, or null: unborn, detached, or not said. */
  readonly headRef: string | null;
  /** Name to value; empty where it has none. */
  readonly capabilities: ReadonlyMap<string, string>;
}

/** Bytes: more than a million refs. They pass through, only those that were asked for stay. */
export const advertisementLimitBytes = 256 << 20;
const keptRefs = 10_000;

export interface AdvertisementOptions {
  /** Full names; one that ends in a slash stands for all below it. */
  readonly names: readonly string[];
  readonly secrets: readonly string[];
}

/** Reads up to the flush, and no further. Throws `remote-malformed`, `remote-not-found`, `remote-unauthorized`. */
export async function readAdvertisement(reader: PacketReader, options: AdvertisementOptions): Promise<Advertisement> {
  const wanted = options.names.map(bytewise);
  const exact = new Set(wanted.filter((name) => !name.endsWith("/")));
  const prefixes = wanted.filter((name) => name.endsWith("/"));
  const refs = new Map<string, string>();
  let capabilities: ReadonlyMap<string, string> | null = null;
  let headRef: string | null = null;
  let count = 0;
  for (let packet = await reader.next(); packet !== "flush"; packet = await reader.next()) {
    if (packet === null) throw remoteError("cut", "the connection to the remote ended while it told its refs");
    if (packet.toString("latin1", 0, 4) === "ERR ") throw refusal(packet.toString("utf8", 4), options.secrets);
    if (capabilities === null) {
      if (/^version \d+\n?$/.test(packet.toString("latin1", 0, 20))) {
        if (packet[8] !== 0x31) throw foreign("a protocol that was not asked for", packet, options.secrets);
        continue;
      }
      const end = packet.indexOf(0);
      const spoken = capabilitiesIn(end < 0 ? "" : packet.toString("utf8", end + 1));
      ({ capabilities, headRef } = spoken);
      if (end >= 0) packet = packet.subarray(0, end);
    }
    const line = packet.toString("latin1").replace(/\n$/, "");
    if (line.startsWith("shallow ")) continue;
    if (!/^[0-9a-f]{40} /.test(line)) throw foreign("no ref", packet, options.secrets);
    // HEAD, tags that are peeled, and what a receive-pack has besides (.have).
    if (!line.startsWith("refs/", 41) || line.endsWith("^{}")) continue;
    count += 1;
    const bytes = line.slice(41);
    if (!exact.has(bytes) && !prefixes.some((prefix) => bytes.startsWith(prefix))) continue;
    const name = Buffer.from(bytes, "latin1").toString("utf8");
    if (!isRefName(name)) continue;
    if (refs.size === keptRefs) throw remoteError("malformed", `the remote has more than ${keptRefs} refs of ours`);
    refs.set(name, line.slice(0, 40));
  }
  const known = capabilities ?? new Map<string, string>();
  const format = known.get("object-format") ?? "sha1";
  if (format !== "sha1") {
    throw remoteError(
      "malformed",
      `the remote keeps ${wordsOf(format, options.secrets)} objects, and kubescribe writes SHA-1: make the repository with ` +
        "git init --object-format=sha1",
    );
  }
  return { refs, count, headRef, capabilities: known };
}

/** A character for each byte: a million names are compared faster than decoded. */
function bytewise(name: string): string {
  return Buffer.from(name, "utf8").toString("latin1");
}

/** git-check-ref-format(1): callers make paths of it. */
export function isRefName(name: string): boolean {
  return name.startsWith("refs/") && !/\.\.|\/\/|\/\.|@\{|\.lock(?:\/|$)|[\p{Cc}\s~^:?*[\\\ufffd]|[./]$/u.test(name);
}

function capabilitiesIn(text: string): Pick<Advertisement, "headRef"> & {
  readonly capabilities: ReadonlyMap<string, string>;
} {
  const capabilities = new Map<string, string>();
  let headRef: string | null = null;
  for (const word of text.trim().split(" ")) {
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(word) ?? [];
    if (name === "symref" && value.startsWith("HEAD:")) headRef = isRefName(value.slice(5)) ? value.slice(5) : null;
    else if (name !== "") capabilities.set(name, value);
  }
  return { capabilities, headRef };
}

/** `ERR` packets: forges answer so over ssh, where they have no status. */
function refusal(text: string, secrets: readonly string[]): Error {
  const words = wordsOf(text, secrets);
  return remoteError(reasonOfWords(text), `the remote refuses to tell its refs: ${JSON.stringify(words)}`);
}

/** What is meant by words that come instead of refs. */
export function reasonOfWords(text: string): "not-found" | "unauthorized" | "malformed" {
  if (/not found|does not appear to be a git repository|no such|does not exist|could not be found/i.test(text)) {
    return "not-found";
  }
  return /denied|permission|unauthori|not allowed|access|forbidden|read[- ]only/i.test(text)
    ? "unauthorized"
    : "malformed";
}

function foreign(what: string, packet: Buffer, secrets: readonly string[]): Error {
  const found = JSON.stringify(wordsOf(packet.toString("utf8", 0, 120), secrets));
  return remoteError("malformed", `the remote should tell its refs and tells ${what}: ${found}`);
}
