/** Keys as texts by name: the same in the data directory, as files, and in a Secret of the cluster. Pure. */

import { decodeWrappedKey } from "./age-wrap.ts";
import { decodeInstallationKey, installationKeyName } from "./installation-key.ts";

/** What keys are kept in. */
export interface KeyTexts {
  /** What is there by that name; where there is nothing, what is made, which is durable when it resolves. One at a time. */
  take(name: string, make: () => Promise<string>): Promise<string>;
}

export type NamedTexts = Readonly<Record<string, string>>;

export interface Fault {
  readonly expected: string;
  readonly found: string;
  readonly advice: string;
}

/** Null: it can be used, or is nobody's key. What stands there instead may be a key as well, of another form: it is not quoted. */
export function faultOf(name: string, text: string): Fault | null {
  if (name === installationKeyName && decodeInstallationKey(text) === null) {
    const advice = "Put the key back; where there was none yet, make one: openssl rand -hex 32";
    return { expected: "64 hex digits", found: `${text.length} other bytes`, advice };
  }
  if (isWrappedKeyName(name) && decodeWrappedKey(text) === null) {
    const advice = "Put it back, or remove it: Secrets are then encrypted anew";
    return { expected: "a data key that age encrypted", found: "something else", advice };
  }
  return null;
}

/** Those of the texts that are keys. */
export function keysIn(texts: NamedTexts): NamedTexts {
  const isKey = ([name, text]: readonly [string, string]): boolean =>
    text !== "" && (name === installationKeyName || isWrappedKeyName(name));
  return Object.fromEntries(Object.entries(texts).filter(isKey));
}

/**
 * With `added` in them, and so many bytes at most: what was wrapped longest ago goes, unless it is one of `used`. Null: there is no room even
 * so.
 */
export function withRoomFor(
  texts: NamedTexts,
  added: NamedTexts,
  { used, limitBytes }: { readonly used: ReadonlySet<string>; readonly limitBytes: number },
): NamedTexts | null {
  const all = new Map(Object.entries({ ...texts, ...added }));
  const old = [...all]
    .filter(([name]) => isWrappedKeyName(name) && !used.has(name) && !Object.hasOwn(added, name))
    .toSorted(([, a], [, b]) => (madeAt(a) < madeAt(b) ? -1 : 1));
  let bytes = [...all].reduce((sum, [name, text]) => sum + name.length + Buffer.byteLength(text), 0);
  for (const [name, text] of old) {
    if (bytes <= limitBytes) break;
    all.delete(name);
    bytes -= name.length + Buffer.byteLength(text);
  }
  return bytes <= limitBytes ? Object.fromEntries(all) : null;
}

function isWrappedKeyName(name: string): boolean {
  return /^sops-[0-9a-f]{32}\.json$/.test(name);
}

function madeAt(text: string): string {
  return decodeWrappedKey(text)?.createdAt ?? "";
}
