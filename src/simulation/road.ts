/** A way that calls take. Owns the faults that lie in wait on it: each meets one call, in the order in which they came. */

export interface Ambush<Call, Answer> {
  readonly accepts?: (call: Call) => boolean;
  /** `go` lets the call pass, as it is or changed. */
  readonly meet: (call: Call, go: (call: Call) => Promise<Answer>) => Promise<Answer>;
}

export class Road<Call, Answer> {
  readonly #waiting: Ambush<Call, Answer>[] = [];

  arm(ambush: Ambush<Call, Answer>): void {
    this.#waiting.push(ambush);
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  pass(call: Call, go: (call: Call) => Promise<Answer>): Promise<Answer> {
    const at = this.#waiting.findIndex(({ accepts }) => accepts?.(call) ?? true);
    const [ambush] = at < 0 ? [] : this.#waiting.splice(at, 1);
    return ambush === undefined ? go(call) : ambush.meet(call, go);
  }
}
