/** How http and ssh look alike to those who speak Git over them. */

import type { PacketReader } from "./pkt-line.ts";

export type Service = "git-receive-pack" | "git-upload-pack";

export interface Transport {
  /**
   * A new connection, with credentials as they are now, up to where the refs can be read. Throws `remote-unauthorized`,
   * `remote-not-found`, `remote-untrusted`, `remote-unreachable`, `remote-malformed`, or the signal's reason.
   */
  open(service: Service, signal: AbortSignal): Promise<Conversation>;
}

export interface RequestBody {
  /** Of all that `chunks` gives. */
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** One connection. Disposing of it ends it, wherever it stands. */
export interface Conversation extends AsyncDisposable {
  /** Stands before the advertisement, its first packet. */
  readonly advertisement: PacketReader;
  /** What must not be shown, should the remote say it back. */
  readonly secrets: readonly string[];
  /** Once, after the advertisement was read to its flush. Sends while the answer is read; resolves when an answer begins. */
  request(body: RequestBody): Promise<PacketReader>;
}
