/**
 * One fetch into a git directory. isomorphic-git's own moves refs and `shallow` before it has the pack, and holds all of that in memory
 * while it comes; here it makes the index only, wherever `indexPack` does that.
 *
 * 1. The pack is written as `tmp_pack_*` (git clears such names away), checked, indexed, renamed, its index last; then `shallow` is
 *    replaced. Wherever that ends early, the repository is what it was.
 * 2. No ref moves: that is for the caller, who learns where they stand.
 */

import { createHash } from "node:crypto";
import type { FileSystem } from "../../actors/ports.ts";
import { type Advertisement, readAdvertisement } from "./advertisement.ts";
import type { Conversation, Transport } from "./conversation.ts";
import type { IndexPack } from "./index-pack.ts";
import { remoteError } from "./remote-error.ts";
import type { Fetch, FetchResult } from "./remote.ts";
import { addShallow, readShallow } from "./shallow.ts";
import { type ShallowChange, uploadPack } from "./upload-pack.ts";

/** It is indexed in memory. */
const defaultPackLimitBytes = 512 << 20;
const emptyPackBytes = 32;

export interface FetchPorts {
  readonly transport: Transport;
  readonly fs: FileSystem;
  readonly indexPack: IndexPack;
}

export async function fetchFrom(
  { transport, fs, indexPack }: FetchPorts,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<FetchResult> {
  await using conversation = await transport.open("git-upload-pack", signal);
  const { secrets } = conversation;
  const advertisement = await readAdvertisement(conversation.advertisement, { names: fetch.refs, secrets });
  const { refs, count, headRef } = advertisement;
  const known = new Set(fetch.haves);
  const wants = [...new Set(refs.values())].filter((id) => !known.has(id));
  if (wants.length === 0) return { refs, count, headRef, pack: null };
  const held = new Set<string>();
  for (const id of wants) if ((await fetch.holds?.(id)) === true) held.add(id);
  const lacking = wants.filter((id) => !held.has(id));
  const index = (packPath: string): Promise<Uint8Array> => indexPack({ packPath, wants: lacking }, signal);
  const pack = await receive({ conversation, fs, index, fetch, wants, advertisement });
  return { refs, count, headRef, pack };
}

async function receive(options: {
  readonly conversation: Conversation;
  readonly fs: FileSystem;
  readonly index: (packPath: string) => Promise<Uint8Array>;
  readonly fetch: Fetch;
  readonly wants: readonly string[];
  readonly advertisement: Advertisement;
}): Promise<FetchResult["pack"]> {
  const { conversation, fs, index, fetch, wants, advertisement } = options;
  const { gitDirectory, owner, sync, haves, depth, packLimitBytes = defaultPackLimitBytes, alone = false } = fetch;
  const directory = `${gitDirectory}/objects/pack`;
  const temporary = { pack: `${directory}/tmp_pack_fetch_${owner}`, index: `${directory}/tmp_idx_fetch_${owner}` };
  try {
    const shallow = await readShallow(fs, gitDirectory);
    const checksum = new PackChecksum();
    let change: ShallowChange;
    {
      await using file = await fs.open(temporary.pack, "create");
      const take = (chunk: Buffer): Promise<void> => {
        checksum.add(chunk);
        return file.write(chunk);
      };
      const request = { wants, haves, shallow, depth, advertisement, packLimitBytes, take };
      change = await uploadPack(conversation, request);
      if (sync) await file.sync();
    }
    const digest = checksum.verify();
    let name: string | null = null;
    if (checksum.sizeBytes > emptyPackBytes) {
      name = `pack-${digest}`;
      const bytes = await index(temporary.pack);
      await using file = await fs.open(temporary.index, "create");
      await file.write(bytes);
      if (sync) await file.sync();
    }
    if (name === null) await fs.remove(temporary.pack);
    else {
      await fs.rename(temporary.pack, `${directory}/${name}.pack`);
      await fs.rename(temporary.index, `${directory}/${name}.idx`);
      if (sync) await fs.syncDirectory(directory);
    }
    await addShallow({ fs, gitDirectory, sync, alone }, change);
    return name === null ? null : { name, sizeBytes: checksum.sizeBytes };
  } catch (error) {
    for (const path of Object.values(temporary)) await fs.remove(path).catch(() => {});
    throw error;
  }
}

/** The last 20 bytes of a pack are the SHA-1 of all before them. */
class PackChecksum {
  readonly #sha = createHash("sha1");
  #tail = Buffer.alloc(0);
  sizeBytes = 0;

  add(chunk: Buffer): void {
    this.sizeBytes += chunk.length;
    const bytes = Buffer.concat([this.#tail, chunk]);
    const end = Math.max(0, bytes.length - 20);
    this.#sha.update(bytes.subarray(0, end));
    this.#tail = Buffer.from(bytes.subarray(end));
  }

  /** In hex. */
  verify(): string {
    const digest = this.#sha.digest("hex");
    if (this.sizeBytes >= emptyPackBytes && digest === this.#tail.toString("hex")) return digest;
    throw remoteError("malformed", "the remote sent a pack whose checksum is wrong");
  }
}
