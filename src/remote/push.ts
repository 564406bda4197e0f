/** One push: as many receive-packs as the remote needs, each of them on a connection that first reads what became of the last. */

import type { KubescribeError } from "../../machines/error.ts";
import { type Advertisement, isRefName, readAdvertisement } from "./advertisement.ts";
import type { Transport } from "./conversation.ts";
import { receivePack } from "./receive-pack.ts";
import { rejectionOf, staleError, unmovedError } from "./rejection.ts";
import { reasonOf, remoteError } from "./remote-error.ts";
import type { Push, PushResult, RefUpdate } from "./remote.ts";

/**
 * Owns what it has learnt of the remote.
 * 1. No report is believed: only what a new connection reads counts.
 * 2. A remote that was seen to move some refs of an atomic push, and not all, is not trusted with another.
 * 3. Without atomicity one ref moves after the other, in the order of the push, and none after one that stayed.
 * 4. Each turn of the loop sends an update that was not yet sent alone, or is the last: it ends.
 */
export class Pusher {
  readonly #transport: Transport;
  #atomicLies = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async push(push: Push, signal: AbortSignal): Promise<PushResult> {
    for (const update of push.updates) assertUpdate(update);
    const names = push.updates.map(({ ref }) => ref);
    let sent: Sent | null = null;
    for (;;) {
      await using conversation = await this.#open(sent, signal);
      const { secrets } = conversation;
      const advertisement: Advertisement = await this.#read(sent, () =>
        readAdvertisement(conversation.advertisement, { names, secrets }),
      );
      const at = (ref: string): string => advertisement.refs.get(ref) ?? "";
      const waiting = push.updates.filter(({ ref, to }) => at(ref) !== to);
      if (sent !== null) this.#judge(sent, waiting);
      if (waiting.length === 0) return { kind: "pushed" };
      const error = faultOf(waiting, at, sent);
      if (error !== null) return { kind: "rejected", error, found: new Map(names.map((ref) => [ref, at(ref)])) };
      const updates: readonly RefUpdate[] =
        this.#isAtomic(advertisement) && sent === null ? waiting : waiting.slice(0, 1);
      sent = { updates, error: null };
      try {
        const report = await receivePack(conversation, { advertisement, updates, pack: push.pack });
        sent = { updates, error: rejectionOf(report, updates, secrets) };
      } catch (error) {
        signal.throwIfAborted();
        if (reasonOf(error) === null) throw error;
        sent = { updates, error: error as KubescribeError };
      }
    }
  }

  #isAtomic({ capabilities }: Advertisement): boolean {
    return capabilities.has("atomic") && !this.#atomicLies;
  }

  #judge({ updates }: Sent, waiting: readonly RefUpdate[]): void {
    const stayed = updates.filter((update) => waiting.includes(update)).length;
    if (stayed > 0 && stayed < updates.length) this.#atomicLies = true;
  }

  #open(sent: Sent | null, signal: AbortSignal): Promise<Awaited<ReturnType<Transport["open"]>>> {
    return this.#read(sent, () => this.#transport.open("git-receive-pack", signal));
  }

  async #read<T>(sent: Sent | null, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (sent === null || reasonOf(error) === null) throw error;
      const messages = [sent.error, error].flatMap((each) => (each instanceof Error ? [each.message] : []));
      throw remoteError(
        "unknown",
        `what became of the push is not known, its refs could not be read back: ${messages.join("; ")}`,
        error,
      );
    }
  }
}

/** They become lines of the protocol. */
function assertUpdate({ ref, from, to }: RefUpdate): void {
  if (isRefName(ref) && /^(?:[0-9a-f]{40})?$/.test(from) && /^[0-9a-f]{40}$/.test(to)) return;
  throw new TypeError(`an update should name a ref and two commits, and is ${JSON.stringify({ ref, from, to })}`);
}

interface Sent {
  readonly updates: readonly RefUpdate[];
  readonly error: KubescribeError | null;
}

/** Null: what waits can be sent. */
function faultOf(
  waiting: readonly RefUpdate[],
  at: (ref: string) => string,
  sent: Sent | null,
): KubescribeError | null {
  const stale = waiting.find(({ ref, from }) => at(ref) !== from);
  if (stale !== undefined) return staleError(stale, at(stale.ref));
  const stayed = sent?.updates.find((update) => waiting.includes(update));
  if (sent === null || stayed === undefined) return null;
  if (sent.error !== null) return sent.error;
  // What was said to have moved together, and did not, is tried again one by one.
  return sent.updates.length === 1 ? unmovedError(stayed) : null;
}
