/**
 * Owns the recording there is, and replaces it when the rules change. Reviews go on meanwhile: what they say is in the journal, and the
 * next recording reads it.
 *
 * 1. One recording at a time: the next one begins behind the end of the last.
 * 2. Of several changes of rules that come at once, the last one counts.
 */
import type { ResourceType } from "../../machines/messages.ts";
import type { RuleDocument } from "../config/documents.ts";
import type { RunOptions } from "../config/options.ts";
import type { Timer } from "../../actors/ports.ts";
import type { CoverageKeeper } from "./coverage-keeper.ts";
import type { ClusterApi, EnginePorts } from "./engine-ports.ts";
import type { Intake } from "./intake.ts";
import type { Readiness } from "./readiness.ts";
import { Recording } from "./recording.ts";
import type { OpenSecrets } from "./secret-options.ts";
import { claimKeysOf } from "./target-options.ts";

export interface RecorderNeeds {
  readonly options: RunOptions;
  readonly api: ClusterApi;
  readonly openSecrets: OpenSecrets;
  readonly intake: Intake;
  readonly readiness: Readiness;
  readonly coverage: CoverageKeeper;
}

const againMs = 10_000;

export class Recorder implements AsyncDisposable {
  readonly #needs: RecorderNeeds;
  readonly #ports: EnginePorts;
  #recording: Recording | null = null;
  /** Told of the types that are to be watched, before they are, and whenever they may be others. */
  watched: (types: readonly ResourceType[]) => void = () => undefined;
  #claimKeys: readonly string[] = [];
  #again: Timer | null = null;
  /** What is to be recorded, and is not yet; undefined: nothing new. */
  #wanted: readonly RuleDocument[] | null | undefined = undefined;
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(needs: RecorderNeeds, ports: EnginePorts) {
    this.#needs = needs;
    this.#ports = ports;
  }

  get recording(): Recording | null {
    return this.#recording;
  }

  /** Keys of userInfo.extra that reviews must bring along. */
  get claimKeys(): readonly string[] {
    return this.#claimKeys;
  }

  /** These may be recorded soon: what is reviewed must have all that they will ask for. */
  expect(documents: readonly RuleDocument[]): void {
    this.#claimKeys = claimKeysOf(documents.flatMap((config) => (config.kind === "GitRepoConfig" ? [{ config }] : [])));
  }

  /** At once, without what is still to be done: somebody else records now. */
  abandon(): void {
    void this.#recording?.abandon().catch(() => undefined);
    this.follow(null);
  }

  /** As `record`; what fails is told, and tried again until something newer comes. */
  follow(documents: readonly RuleDocument[] | null): void {
    this.#again?.[Symbol.dispose]();
    const { clock, log } = this.#ports;
    const { readiness } = this.#needs;
    this.record(documents).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : "unknown";
      log.error("What records could not begin; it is tried again.", { reason });
      readiness.failed(reason);
      if (!this.#closed) this.#again = clock.after(againMs, () => this.follow(documents));
    });
  }

  /** The first one: it takes reviews, and is opened by `open`. */
  async prepare(documents: readonly RuleDocument[]): Promise<void> {
    const { options, intake } = this.#needs;
    const { correlation$ } = intake;
    const plan = { options, documents };
    this.expect(documents);
    const watched = (types: readonly ResourceType[]): void => this.watched(types);
    this.#recording = Recording.wire({ ...this.#needs, plan, correlation$, watched }, this.#ports);
    await intake.enter(this.#recording.engine);
  }

  /** Throws what no patience mends. */
  async open(): Promise<void> {
    await this.#recording?.open();
    const sources = this.#recording?.sources ?? null;
    if (sources !== null) this.#needs.readiness.recording(sources);
  }

  /** Null: nothing. Resolves when it is so, or something newer was asked for; rejects with what no patience mends. */
  record(documents: readonly RuleDocument[] | null): Promise<void> {
    this.#wanted = documents;
    // What still waits for an API server or a repository waits no more.
    this.#recording?.hurry();
    this.#changing = this.#changing.catch(() => undefined).then(() => this.#change());
    return this.#changing;
  }

  async drain(): Promise<void> {
    await this.#recording?.drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#again?.[Symbol.dispose]();
    this.#recording?.hurry();
    this.#needs.readiness.stopping();
    // Whoever asked for the change hears of its failure.
    await this.#changing.catch(() => undefined);
    await this.#end();
  }

  async #change(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === undefined || this.#closed) return;
    this.#wanted = undefined;
    await this.#end();
    if (wanted === null) return this.#needs.readiness.standingBy();
    await this.prepare(wanted);
    try {
      await this.open();
    } catch (error) {
      await this.#end();
      if (this.#wanted === undefined) throw error;
    }
  }

  async #end(): Promise<void> {
    const recording = this.#recording;
    if (recording === null) return;
    this.#recording = null;
    await recording[Symbol.asyncDispose]();
    this.#needs.intake.leave();
  }
}
