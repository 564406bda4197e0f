/** People who write, each on objects that others write, too; what is written is different each time. Owns their loops. */

import { setTimeout as delay } from "node:timers/promises";

import type { ControlPlane } from "../controlplane/control-plane.ts";

/** What the API server acknowledged. */
export interface Acknowledged {
  readonly name: string;
  readonly user: string;
  readonly resourceVersion: string;
}

const users = ["alice", "bob", "carol", "dave"];
const objects = 40;
const pauseMs = 60;
const configMaps = "/api/v1/namespaces/default/configmaps";

export class Writers {
  readonly acknowledged: Acknowledged[] = [];
  /** Writes that the API server did not answer with 2xx; in ms, the slowest that it did. */
  failed = 0;
  slowestMs = 0;
  readonly #plane: ControlPlane;
  readonly #loops: readonly Promise<void>[];
  #stopped = false;

  private constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#loops = users.map((user, index) => this.#write(user, index));
  }

  static start(plane: ControlPlane): Writers {
    return new Writers(plane);
  }

  get count(): number {
    return this.acknowledged.length;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #write(user: string, index: number): Promise<void> {
    for (let n = 0; !this.#stopped; n += 1) {
      const name = `soak-${(n * 7 + index * 3) % objects}`;
      const startedMs = performance.now();
      const body = { metadata: { name }, data: { by: user, n: String(n) } };
      let answer = await this.#plane.request(user, "PATCH", `${configMaps}/${name}`, body);
      if (answer.status === 404) answer = await this.#plane.request(user, "POST", configMaps, body);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
      if (answer.status >= 300) this.failed += 1;
      else {
        const { resourceVersion } = answer.json()["metadata"] as { readonly resourceVersion: string };
        this.acknowledged.push({ name, user, resourceVersion });
      }
      await delay(pauseMs);
    }
  }
}
