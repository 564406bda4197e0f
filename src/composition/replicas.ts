/**
 * Where a review counts: in this process, or with the replica that holds the Lease. Owns what was handed over, and whether something was
 * missed that the holder does not know of.
 *
 * 1. A review that counts elsewhere is there before it is answered (K24).
 * 2. What cannot be handed on is kept here, and the holder is told that it misses something, as soon as it can be.
 * 3. What was handed on is handed on again only by one that has handed its office over: views of the Lease may be old, but whoever took
 *    over knows better.
 */
import type { LeaseRecord } from "../../machines/lease.ts";
import type { Clock, Log, Meter } from "../../actors/ports.ts";
import type { Intake, Knowledge } from "./intake.ts";
import { decodeAnswer, decodeWord, encodeAnswer, encodeWord, type PeerWord } from "./peer-words.ts";

export interface ReplicasOptions {
  readonly intake: Pick<Intake, "review" | "tell" | "miss" | "adopt">;
  readonly lease: { readonly held: boolean; readonly holderAddress: string | null };
  readonly post: (address: string, body: Uint8Array, patienceMs: number) => Promise<Uint8Array>;
  readonly address: string;
  /** Called by whoever records: from then (wall clock) until now reviews were kept by a replica that could not hand them on. */
  readonly missed: (sinceMs: number) => void;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
}

/** The API server waits for 2 s. */
const handOnPatienceMs = 1000;
const handOverPatienceMs = 10_000;
const handOverTries = 5;
const retryMs = 500;

export class Replicas {
  readonly #options: ReplicasOptions;
  /** Who came after this process; null: nobody yet. */
  #successor: string | null = null;
  /** Reviews that are on their way to another replica. */
  readonly #handing = new Set<Promise<string | null>>();
  readonly #succeeded = Promise.withResolvers<void>();
  /** Wall clock: since when this one keeps reviews that the holder does not know of; null: it knows all of them. */
  #missedSinceMs: number | null = null;
  /** How many it has kept. */
  #kept = 0;

  constructor(options: ReplicasOptions) {
    this.#options = options;
    options.meter.gauge("lease_held", () => (options.lease.held ? 1 : 0));
  }

  /** Resolves to the answer. `handedOn`: by another replica. */
  async review(body: Uint8Array, handedOn: boolean): Promise<string> {
    const word = decodeWord(body);
    if (word !== null) return await this.#hear(word);
    const elsewhere = this.#elsewhere(handedOn);
    if (elsewhere === null) return await this.#options.intake.review(body);
    const handing = this.#handOn(elsewhere, body);
    this.#handing.add(handing);
    const answer = await handing;
    this.#handing.delete(handing);
    return answer ?? (await this.#options.intake.review(body));
  }

  /**
   * Takes over from whoever held the Lease before. Resolves when all that can be known is known here; false: something may be missing,
   * since that one was last seen.
   */
  async takeOver(before: LeaseRecord, identity: string): Promise<boolean> {
    const { intake, address, log } = this.#options;
    this.#successor = null;
    // What was kept here is known from now on; what was written meanwhile was judged without it.
    if (this.#missedSinceMs !== null) this.#options.missed(this.#missedSinceMs);
    this.#missedSinceMs = null;
    // The first one ever, or this very process, which has its own journal.
    if (before.address === "" || before.address === address || before.holder === identity) return true;
    // What is still on its way there would arrive behind the answer.
    await Promise.all(this.#handing);
    const knowledge = await this.#ask(before);
    if (knowledge !== null && (await this.#adopted(knowledge))) {
      log.info("What the last holder of the Lease knew is taken over.", {
        from: before.address,
        correlations: knowledge.correlations.length,
      });
      return true;
    }
    log.warn("The last holder of the Lease cannot be asked any more: authors of the last changes may be missing.", {
      holder: before.holder,
    });
    intake.miss();
    return false;
  }

  /** Resolves when another replica has taken over, or patience ends. */
  async succeeded(patienceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#options.clock.after(patienceMs, resolve);
    await Promise.race([this.#succeeded.promise, promise]);
  }

  #elsewhere(handedOn: boolean): string | null {
    const { lease } = this.#options;
    if (lease.held) return null;
    return this.#successor ?? (handedOn ? null : lease.holderAddress);
  }

  async #handOn(address: string, body: Uint8Array): Promise<string | null> {
    const { post, clock, meter, log } = this.#options;
    const beganMs = clock.nowMs();
    try {
      const sinceMs = this.#missedSinceMs;
      if (sinceMs !== null) {
        const kept = this.#kept;
        await post(address, encodeWord({ kind: "missed", sinceMs }), handOnPatienceMs);
        // What was kept while the word was on its way is told of by the next one.
        if (this.#kept === kept) this.#missedSinceMs = null;
      }
      const answer = await post(address, body, handOnPatienceMs);
      meter.count("webhook_handed_on", { outcome: "done" });
      return Buffer.from(answer).toString();
    } catch (error) {
      meter.count("webhook_handed_on", { outcome: "failed" });
      if (this.#missedSinceMs === null)
        log.warn("A review could not be handed on to the holder of the Lease; it is kept here.", {
          address,
          reason: error instanceof Error ? error.message : "unknown",
        });
      this.#missedSinceMs ??= beganMs;
      this.#kept += 1;
      return null;
    }
  }

  async #hear(word: PeerWord): Promise<string> {
    const { intake, lease, clock, missed } = this.#options;
    switch (word.kind) {
      case "missed":
        intake.miss();
        // Clocks of two nodes: it is over when it is told of.
        missed(Math.min(word.sinceMs ?? clock.nowMs(), clock.nowMs()));
        return JSON.stringify({ kind: "heard" });
      case "handOver": {
        if (lease.held) return encodeAnswer({ kind: "refused" });
        // Before anything is read: what comes from now on goes there.
        this.#successor = word.to;
        const knowledge = await intake.tell();
        this.#succeeded.resolve();
        return encodeAnswer({ kind: "handedOver", ...knowledge });
      }
      default:
        return word satisfies never;
    }
  }

  /** False: it could not be written down. */
  async #adopted(knowledge: Knowledge): Promise<boolean> {
    try {
      await this.#options.intake.adopt(knowledge);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : "unknown";
      this.#options.log.error("What the last holder of the Lease knew could not be written down.", { reason });
      return false;
    }
  }

  async #ask(before: LeaseRecord): Promise<Knowledge | null> {
    const { post, address, clock, log } = this.#options;
    const word = encodeWord({ kind: "handOver", to: address });
    // One whose Lease has expired is most probably gone.
    const tries = before.holder === "" ? handOverTries : 1;
    for (let tried = 0; tried < tries; tried += 1) {
      try {
        const answer = decodeAnswer(Buffer.from(await post(before.address, word, handOverPatienceMs)).toString());
        if (answer?.kind === "handedOver") return answer;
        log.warn("The last holder of the Lease does not hand over yet.", { address: before.address });
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown";
        log.warn("The last holder of the Lease cannot be asked.", { address: before.address, reason });
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      using _timer = clock.after(retryMs, resolve);
      await promise;
    }
    return null;
  }
}
