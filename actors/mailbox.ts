/**
 * The messages of one actor that wait for it, first in, first out.
 *
 * 1. At most `capacity` messages that may be refused wait; one that must not be lost (a watch event) always gets in: the sender
 *    of those reads from a socket and never runs ahead of a synchronous actor.
 */
export class Mailbox<Message> {
  readonly #capacity: number;
  readonly #waiting: Message[] = [];
  #head = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#waiting.length - this.#head;
  }

  /** False: the mailbox is full, and the message was not taken. */
  offer(message: Message): boolean {
    if (this.size >= this.#capacity) return false;
    this.#waiting.push(message);
    return true;
  }

  put(message: Message): void {
    this.#waiting.push(message);
  }

  take(): Message | undefined {
    const message = this.#waiting[this.#head];
    if (message === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#head = 0;
    }
    return message;
  }
}
