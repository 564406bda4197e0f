/**
 * What the tests of a file share: stock git's HTTP server, an empty repository of it that is new for each test, and one that makes
 * commits. Owns the directory of all of them, from the file's first test to its last.
 */

import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";

import { HttpBackend } from "./http-backend.ts";
import { makeRepository, type Place, Source, temporaryPlace } from "./repositories.ts";

interface Parts {
  readonly place: Place;
  readonly source: Source;
  readonly backend: HttpBackend;
}

export class Served {
  #parts: Parts | null = null;
  #count = 0;
  #name = "";

  /** For the tests of the file that calls it. */
  static throughout(): Served {
    const served = new Served();
    beforeAll(() => served.#start());
    afterAll(() => served.#stop());
    beforeEach(() => served.renew());
    return served;
  }

  /** Where all of them are. */
  get root(): string {
    return this.#started.place.path;
  }

  get source(): Source {
    return this.#started.source;
  }

  get backend(): HttpBackend {
    return this.#started.backend;
  }

  /** Of this test. */
  get name(): string {
    return this.#name;
  }

  get path(): string {
    return join(this.root, this.#name);
  }

  get url(): string {
    return this.backend.url(this.#name);
  }

  /** Another one, with the options of git-config that are named. */
  renew(config: Readonly<Record<string, string>> = {}): void {
    this.#count += 1;
    this.#name = `remote-${this.#count}.git`;
    makeRepository(this.path, config);
    this.backend.seen.length = 0;
  }

  get #started(): Parts {
    if (this.#parts === null) throw new Error("nothing is served before the first test");
    return this.#parts;
  }

  async #start(): Promise<void> {
    const place = temporaryPlace();
    const source = new Source(join(place.path, "source.git"));
    this.#parts = { place, source, backend: await HttpBackend.start({ root: place.path }) };
  }

  async #stop(): Promise<void> {
    const { place, backend } = this.#started;
    await backend[Symbol.asyncDispose]();
    place[Symbol.dispose]();
  }
}
