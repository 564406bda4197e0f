/** What the watches were answered, told to whoever keeps the record. */

import type { ApiAnswer } from "../simulator/status.ts";

export interface Traffic {
  /** Counts restored backups. What a stream still holds of the time before one is of the era in which it began. */
  readonly era: number;
  /** A list or a watch at this revision was answered with 410 or 504. */
  refused(typeKey: string, revision: number): void;
  /** A whole list of the latest state was answered. `era`: default the present one. */
  listed(typeKey: string, revision: number, era?: number): void;
  /** A watch was begun behind this revision. */
  streamed(typeKey: string, revision: number): void;
  /** An event was read to its end. */
  delivered(typeKey: string, revision: number, era?: number): void;
}

export function tellList(traffic: Traffic, typeKey: string, query: URLSearchParams, { status, body }: ApiAnswer): void {
  if (status !== 200) tellRefusal(traffic, typeKey, body);
  // A list of one item is a question for the version.
  else if (query.get("resourceVersionMatch") !== "Exact" && query.get("limit") !== "1" && !body.includes('"continue"'))
    traffic.listed(typeKey, listRevisionIn(body));
}

/** What the frames of one watch say. */
export class FrameTeller {
  readonly #traffic: Traffic;
  readonly #typeKey: string;
  readonly #era: number;
  #initial: boolean;

  constructor(traffic: Traffic, typeKey: string, query: URLSearchParams) {
    this.#traffic = traffic;
    this.#typeKey = typeKey;
    this.#era = traffic.era;
    this.#initial = query.get("sendInitialEvents") === "true";
    if (!this.#initial) traffic.streamed(typeKey, Number(query.get("resourceVersion") ?? "0"));
  }

  tell(frame: string): void {
    if (frame.startsWith('{"type":"ERROR"')) tellRefusal(this.#traffic, this.#typeKey, frame);
    else if (frame.startsWith('{"type":"BOOKMARK"')) {
      if (this.#initial) this.#traffic.listed(this.#typeKey, revisionIn(frame), this.#era);
      this.#initial = false;
    } else if (!this.#initial) this.#traffic.delivered(this.#typeKey, revisionIn(frame), this.#era);
  }
}

export function tellRefusal(traffic: Traffic, typeKey: string, body: string): void {
  const [, revision] = /[Tt]oo (?:old|large) resource version: (\d+)/.exec(body) ?? [];
  if (revision !== undefined) traffic.refused(typeKey, Number(revision));
}

/** No item's metadata begin with it. */
function listRevisionIn(body: string): number {
  return Number(/"metadata":\{"resourceVersion":"(\d+)"/.exec(body)?.[1] ?? "0");
}

/** The first one: that of an event's object, or of a bookmark. */
function revisionIn(text: string): number {
  return Number(/"resourceVersion":"(\d+)"/.exec(text)?.[1] ?? "0");
}
