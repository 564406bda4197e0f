/** Defects of the way from a change to a branch: queue, cursors, detaching. */

import { network, restarts } from "./fault-sets.ts";
import type { Mutant } from "./mutant.ts";

const intake = "machines/branch-intake.ts";
const queue = "machines/branch-queue.ts";
const detachments = "machines/branch-detachments.ts";
const gap = "machines/branch-gap.ts";

export const branchMutants: readonly Mutant[] = [
  {
    name: "bookmark-passes-queue",
    defect: "a bookmark moves the cursor past changes that are queued",
    file: intake,
    find: "if (!this.queue.advance(book.key, book.position)) book.durable = book.position;",
    replace: "this.queue.advance(book.key, book.position);\n    book.durable = book.position;",
    breaks: "I7",
    faults: [...restarts],
  },
  {
    name: "cursor-before-commit",
    defect: "a change counts as durable as soon as it is accepted",
    file: intake,
    find: "book.position = joined(book.position, cursorOf(change));",
    replace: "book.durable = book.position = joined(book.position, cursorOf(change));",
    breaks: "I7",
    faults: [...restarts, "full-disks"],
  },
  {
    name: "lost-flush",
    defect: "what a full disk refuses is not tried again",
    file: "actors/branch-actor.ts",
    find: "const result = await pool.flush(targetId, {",
    replace: "this.#ledger.settle();\n      const result = await pool.flush(targetId, {",
    breaks: "I7",
    faults: ["full-disks"],
  },
  {
    name: "reordered-batch",
    defect: "a batch is written from its end",
    file: queue,
    find: "return this.#slots.slice(0, this.#flying);",
    replace: "return this.#slots.slice(0, this.#flying).toReversed();",
    breaks: "I4",
    faults: [],
  },
  {
    name: "detached-drops",
    defect: "what a detached target refuses leaves no verdict: its catch-up passes it over",
    file: detachments,
    find: "for (const change of changes) this.#logChange(change);",
    replace: "",
    breaks: "I7",
    faults: ["tight-bounds", "full-disks"],
  },
  {
    name: "attached-too-early",
    defect: "a catch-up ends before the last change that was refused",
    file: detachments,
    find: "return refused === undefined || covers(book.position, refused) ? this.#attach(book)",
    replace: "return refused === undefined || book.position !== null ? this.#attach(book)",
    breaks: "I7",
    faults: ["tight-bounds", "full-disks"],
  },
  {
    name: "end-forgotten",
    defect: "behind a gap, who stood under the name before is forgotten",
    file: gap,
    find: "return inOrder([...changes, ...unseen.map(endBefore)]);",
    replace: "return inOrder([...changes, ...unseen.slice(0, 0).map(endBefore)]);",
    breaks: "I2",
    faults: [...restarts, "compactions", "slow-git", "rejecting-git"],
    every: 2,
  },
  {
    name: "untold-items",
    defect: "behind a gap, what an earlier process saw and did not commit is left out",
    file: gap,
    find: "untold.push(updateOf(item, cursor.epoch));",
    replace: "",
    breaks: "I5",
    faults: [...restarts, "compactions", "slow-git", "rejecting-git"],
    every: 2,
  },
  {
    name: "resync-deletes-present",
    defect: "a resync removes the files of objects that are there",
    file: intake,
    find: "const present = items.filter(({ terminating }) => !terminating)",
    replace: "const present = items.filter(({ terminating }) => terminating)",
    breaks: "I5",
    faults: ["compactions", ...network],
  },
  {
    name: "snapshot-of-the-dying",
    defect: "a snapshot shows what is being deleted",
    file: intake,
    find: "const items = all.filter(({ terminating }) => !terminating);",
    replace: "const items = all;",
    breaks: "I5",
    faults: ["in-use"],
  },
  {
    name: "recovered-credits-others",
    defect: "behind a gap, one is credited with what the branch did not have yet of others",
    file: gap,
    find: "covers(position, since)) return change;",
    replace: "covers(position, since) || since !== null) return change;",
    breaks: "I3",
    faults: [...restarts, "compactions", "slow-git", "rejecting-git"],
    every: 2,
  },
];
