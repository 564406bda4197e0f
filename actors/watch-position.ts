/**
 * Owns how far one watch has been passed on.
 *
 * 1. The version never falls, but by `reset`.
 * 2. An event at the very version is a repeat only if its uid was passed on at it, or if the version is known to be complete.
 */

import { cursorAt } from "../machines/cursor.ts";
import { compareResourceVersions } from "../machines/messages.ts";
import type { Cursor, ResourceVersion, Uid, WatchEvent } from "../machines/messages.ts";

export class WatchPosition {
  #version: ResourceVersion | "" = "";
  /** Passed on at `#version`; null: all there is. */
  #uids: Uid[] | null = null;
  #open = false;

  /** Null: nowhere yet. */
  in(epoch: number): Cursor | null {
    if (this.#version === "") return null;
    const cursor: Cursor = { epoch, resourceVersion: this.#version };
    return this.#open && this.#uids !== null ? { ...cursor, uids: [...this.#uids] } : cursor;
  }

  isRepeat(event: WatchEvent): boolean {
    const order = compareResourceVersions(event.resourceVersion, this.#version);
    return order < 0 || (order === 0 && (this.#uids === null || this.#uids.includes(event.uid)));
  }

  passed(event: WatchEvent): void {
    if (event.resourceVersion === this.#version) this.#uids?.push(event.uid);
    else {
      this.#version = event.resourceVersion;
      this.#uids = [event.uid];
    }
    this.#open = cursorAt(event, 0).uids !== undefined;
  }

  isNews(version: ResourceVersion): boolean {
    return compareResourceVersions(version, this.#version) > 0 || (version === this.#version && this.#open);
  }

  /** Everything up to and including `version` has been passed on. */
  completed(version: ResourceVersion): void {
    if (compareResourceVersions(version, this.#version) >= 0) this.reset(version);
  }

  /** A list took the place of what was before. */
  reset(version: ResourceVersion): void {
    this.#version = version;
    this.#uids = null;
    this.#open = false;
  }
}
