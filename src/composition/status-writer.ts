/**
 * Writes the status of rule documents, by merge patches. Owns what was written last.
 *
 * 1. A condition that turned is written at the next look, figures at most every `figuresEveryMs`: each status is a write of the cluster.
 * 2. `lastTransitionTime` moves when a condition's status does, and at no other time.
 */
import type { ApiObjects } from "../kubernetes/objects.ts";
import { isObject } from "../kubernetes/objects.ts";
import type { Clock, Log, Timer } from "../../actors/ports.ts";
import { titleOf } from "../config/documents.ts";
import { documentTypes, type StoredDocument } from "./cluster-documents.ts";
import type { Condition, DocumentStatus } from "./document-status.ts";

export interface StatusWriterOptions {
  readonly objects: Pick<ApiObjects, "mergePatch">;
  readonly clock: Clock;
  readonly log: Log;
  /** What is to stand there now; null: this is not the time to write (somebody else holds the Lease). */
  readonly read: () => readonly (readonly [StoredDocument, DocumentStatus])[] | null;
}

const lookEveryMs = 2_000;
const figuresEveryMs = 30_000;
const requestPatienceMs = 10_000;

interface Written {
  readonly conditions: string;
  readonly whole: string;
  readonly atMs: number;
}

type TimedCondition = Condition & { readonly lastTransitionTime: string; readonly observedGeneration: number };

export class StatusWriter implements AsyncDisposable {
  readonly #options: StatusWriterOptions;
  readonly #written = new Map<string, Written>();
  readonly #closing = new AbortController();
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  #refused = "";

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#arm();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#timer?.[Symbol.dispose]();
    await this.#looking;
  }

  #arm(): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = this.#options.clock.after(lookEveryMs, () => {
      this.#looking = this.#look().finally(() => this.#arm());
    });
  }

  async #look(): Promise<void> {
    const wanted = this.#options.read();
    if (wanted === null) return this.#written.clear();
    const titles = new Set(wanted.map(([document]) => titleOf(document)));
    for (const title of this.#written.keys()) if (!titles.has(title)) this.#written.delete(title);
    for (const [document, status] of wanted) {
      if (this.#closing.signal.aborted) return;
      await this.#bring(document, status);
    }
  }

  async #bring(document: StoredDocument, { conditions, rest }: DocumentStatus): Promise<void> {
    const title = titleOf(document);
    const { generation, conditions: standing } = standingOf(document.json);
    const turned = JSON.stringify([generation, conditions]);
    const whole = JSON.stringify([turned, rest]);
    const nowMs = this.#options.clock.monotonicMs();
    const last = this.#written.get(title);
    if (last?.whole === whole) return;
    if (last?.conditions === turned && nowMs - last.atMs < figuresEveryMs) return;
    const status = {
      observedGeneration: generation,
      conditions: conditions.map((condition) => this.#timed(condition, standing, generation)),
      ...rest,
    };
    if (await this.#patch(document, status)) this.#written.set(title, { conditions: turned, whole, atMs: nowMs });
  }

  #timed(condition: Condition, standing: readonly TimedCondition[], observedGeneration: number): TimedCondition {
    const before = standing.find(({ type }) => type === condition.type);
    const now = new Date(this.#options.clock.nowMs()).toISOString().replace(/\.\d+Z$/, "Z");
    const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
    return { ...condition, lastTransitionTime, observedGeneration };
  }

  async #patch({ kind, namespace, name }: StoredDocument, status: object): Promise<boolean> {
    const type = documentTypes.find((each) => each.kind === kind);
    if (type === undefined) return false;
    const place = namespace === "" ? "" : `/namespaces/${namespace}`;
    const path = `/apis/${type.group}/${type.version}${place}/${type.resource}/${name}/status`;
    const overdue = new AbortController();
    using _timer = this.#options.clock.after(requestPatienceMs, () => overdue.abort());
    const signal = AbortSignal.any([overdue.signal, this.#closing.signal]);
    try {
      const answer = await this.#options.objects.mergePatch(path, { status }, signal);
      // One that is gone has no status; one that changed meanwhile comes again.
      if (answer.kind !== "refused") return answer.kind === "done";
      this.#complain(`status ${answer.status}: ${answer.message}`);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#complain(error instanceof Error ? error.message : "unknown");
    }
    return false;
  }

  #complain(reason: string): void {
    if (reason !== this.#refused)
      this.#options.log.warn("The status of a rule document cannot be written.", { reason });
    this.#refused = reason;
  }
}

/** What of it is needed; whoever else wrote there may have written anything. */
function standingOf(json: string): { readonly generation: number; readonly conditions: readonly TimedCondition[] } {
  const object: unknown = JSON.parse(json);
  const metadata = isObject(object) && isObject(object["metadata"]) ? object["metadata"] : {};
  const status = isObject(object) && isObject(object["status"]) ? object["status"] : {};
  const generation = typeof metadata["generation"] === "number" ? metadata["generation"] : 0;
  const found: readonly unknown[] = Array.isArray(status["conditions"]) ? status["conditions"] : [];
  const conditions = found.filter(
    (condition): condition is TimedCondition =>
      isObject(condition) &&
      typeof condition["type"] === "string" &&
      typeof condition["status"] === "string" &&
      typeof condition["lastTransitionTime"] === "string",
  );
  return { generation, conditions };
}
