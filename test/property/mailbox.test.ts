/** The mailbox beside a plain array. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { Mailbox } from "../../actors/mailbox.ts";
import { check, commandsUpTo, suite } from "./check.ts";

interface Model {
  readonly capacity: number;
  waiting: readonly number[];
}

type MailboxCommand = fc.Command<Model, Mailbox<number>>;

/** A correlation: refused when there is no room. */
class Offer implements MailboxCommand {
  readonly #message: number;

  constructor(message: number) {
    this.#message = message;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, mailbox: Mailbox<number>): void {
    const room = model.waiting.length < model.capacity;
    expect(mailbox.offer(this.#message)).toBe(room);
    if (room) model.waiting = [...model.waiting, this.#message];
    expectSame(model, mailbox);
  }

  toString(): string {
    return `offer(${this.#message})`;
  }
}

/** A watch event: never refused. */
class Put implements MailboxCommand {
  readonly #message: number;

  constructor(message: number) {
    this.#message = message;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, mailbox: Mailbox<number>): void {
    mailbox.put(this.#message);
    model.waiting = [...model.waiting, this.#message];
    expectSame(model, mailbox);
  }

  toString(): string {
    return `put(${this.#message})`;
  }
}

class Take implements MailboxCommand {
  check(): boolean {
    return true;
  }

  run(model: Model, mailbox: Mailbox<number>): void {
    expect(mailbox.take()).toBe(model.waiting[0]);
    model.waiting = model.waiting.slice(1);
    expectSame(model, mailbox);
  }

  toString(): string {
    return "take()";
  }
}

function expectSame(model: Model, mailbox: Mailbox<number>): void {
  expect(mailbox.size).toBe(model.waiting.length);
}

const message = fc.nat({ max: 99 });
const commands = fc.commands<Model, Mailbox<number>>(
  [
    message.map((one) => new Offer(one)),
    message.map((one) => new Put(one)),
    fc.constant(new Take()),
    fc.constant(new Take()),
  ],
  commandsUpTo(60),
);

suite("the mailbox", () => {
  test("is first in, first out; refuses what may be refused when it is full, and nothing else", () => {
    check(
      fc.property(fc.integer({ min: 0, max: 5 }), commands, (capacity, script) => {
        fc.modelRun(() => ({ model: { capacity, waiting: [] }, real: new Mailbox<number>(capacity) }), script);
      }),
    );
  });
});
