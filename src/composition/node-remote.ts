/** The Remote port: src/remote, spoken to for one branch of one local repository. */

import type { Clock, FileSystem, Outgoing, RefIds, Remote } from "../../actors/ports.ts";
import { trackingOf } from "../git/mirror.ts";
import { ObjectReader } from "../git/object-reader.ts";
import { RefStore } from "../git/refs.ts";
import { openRemote } from "../remote/open-remote.ts";
import { packFile } from "../remote/pack-file.ts";
import type { RemoteSite } from "./engine-ports.ts";
import { indexInThread } from "./node-index-thread.ts";

export interface RemoteLinkOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  /** Proxies, and the agent of SSH. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One fetch at a time, and the directory is its process's own. */
const fetchOwner = "upstream";

/** Connects to nothing yet. Throws `remote-url-invalid`. */
export function linkRemote(site: RemoteSite, options: RemoteLinkOptions): Remote {
  const { fs, clock } = options;
  const { url, credentialsDirectory, refusesHost, gitDirectory, refs } = site;
  const [branch = ""] = refs;
  const remote = openRemote({ ...options, url, credentialsDirectory, refusesHost, indexPack: indexInThread });
  const local = new RefStore({ fs, clock, gitDirectory, sync: false });
  return {
    async fetch(depth, signal) {
      const tracked = await local.read(trackingOf(branch));
      const haves = tracked === "" ? [] : [tracked];
      const objects = await ObjectReader.open(fs, gitDirectory);
      const holds = async (id: string): Promise<boolean> => (await objects.find(id)) !== null;
      const fetch = { gitDirectory, refs, depth, haves, holds, owner: fetchOwner, sync: true, alone: true };
      const found = await remote.fetch(fetch, signal);
      return ofSite(found.refs);
    },
    async push({ updates, packPath }: Outgoing, signal) {
      const result = await remote.push({ updates, pack: await packFile(fs, packPath) }, signal);
      if (result.kind === "rejected") throw result.error;
      return Object.fromEntries(updates.map(({ ref, to }) => [ref, to]));
    },
  };

  function ofSite(found: ReadonlyMap<string, string>): RefIds {
    return Object.fromEntries(refs.flatMap((ref) => (found.has(ref) ? [[ref, found.get(ref) ?? ""]] : [])));
  }
}
