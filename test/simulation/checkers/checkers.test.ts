/** The checkers must not be blind: a true history passes, and each way to falsify it is found, by the checker that it is the matter of. */

import { describe, expect, test } from "vitest";

import type { HistoryCommit } from "../../../src/simulation/checkers/git-reader.ts";
import { uncommitted, unforgotten } from "../../../src/simulation/checkers/at-rest.ts";
import { overflows } from "../../../src/simulation/checkers/bounded.ts";
import { Findings } from "../../../src/simulation/checkers/findings.ts";
import { RepositoryCheck } from "../../../src/simulation/checkers/repository-check.ts";
import { Snapshots } from "../../../src/simulation/checkers/snapshots.ts";
import { CONFIG_MAPS, DEPLOYMENTS } from "../../../src/simulator/resource-types.ts";
import { scaled, signed, Story, target, types } from "./story.ts";

const containers = [{ name: "main", image: "web" }];
const template = { metadata: { labels: { app: "web" } }, spec: { containers } };
const deployment = { spec: { replicas: 1, selector: { matchLabels: { app: "web" } }, template } };
const data = (key: string): { data: { key: string } } => ({ data: { key } });

/** Commits: 0 snapshot, 1 CREATE by alice, 2 UPDATE by bob, 3 UPDATE by carol, 4 DELETE by dave; 5 CREATE and 6 scale of a deployment. */
function everyday(): Story {
  const story = new Story();
  const name = "one";
  for (const write of story.act(
    { user: "alice@example.com", verb: "create", name, body: data("1") },
    { user: "bob", verb: "patch", name, body: data("2") },
    { user: "carol", verb: "patch", name, body: data("3") },
  ))
    story.tell(write);
  for (const write of story.act({ user: "dave", verb: "delete", name })) story.tell(write, "delete");
  const type = DEPLOYMENTS;
  for (const write of story.act({ user: "bob", verb: "create", type, name: "web", body: deployment }))
    story.tell(write);
  for (const write of story.act({ ...scaled, user: "carol", name: "web", body: { spec: { replicas: 3 } } }))
    story.tell(write, "scale");
  return story;
}

function findingsOf(story: Story): Findings {
  const check = new RepositoryCheck(new Map([["all", target]]), types, story.around);
  for (const commit of asGitShows(story.commits)) check.see(commit);
  const findings = check.end().get("all");
  if (findings === undefined) throw new Error("no such target");
  return findings;
}

/** What a file was before follows from the commits before it. */
function asGitShows(commits: readonly HistoryCommit[]): readonly HistoryCommit[] {
  const tree = new Map<string, string>();
  return commits.map((commit) => {
    const files = commit.files.map((file) => ({ ...file, before: tree.get(file.path) ?? "" }));
    for (const { path, after } of files) tree.set(path, after);
    return { ...commit, files: files.filter(({ before, after }) => before !== after) };
  });
}

/** Which invariants are said to be broken, each once. */
function brokenOf(story: Story): string {
  return [...new Set(findingsOf(story).broken.map((line) => line.slice(0, 2)))].toSorted().join(" ");
}

function change(story: Story, index: number, fields: Partial<HistoryCommit>): void {
  const commit = story.commits[index];
  if (commit === undefined) throw new Error(`no commit ${index}`);
  story.commits[index] = { ...commit, ...fields };
}

function trailers(story: Story, index: number, changed: Readonly<Record<string, readonly string[]>>): void {
  const known = story.commits[index]?.trailers ?? new Map<string, readonly string[]>();
  change(story, index, { trailers: new Map([...known, ...Object.entries(changed)]) });
}

function credit(story: Story, index: number, user: string): void {
  trailers(story, index, { "Changed-By": [user] });
  change(story, index, signed(user));
}

function doubt(story: Story, index: number, tier: "unresolved" | "collapsed"): void {
  credit(story, index, "unresolved");
  trailers(story, index, { "Kubescribe-Attribution": [tier] });
}

function file(story: Story, index: number, after: string, path?: string): void {
  const [known] = story.commits[index]?.files ?? [];
  if (known === undefined) throw new Error(`no file in ${index}`);
  change(story, index, { files: [{ ...known, after, path: path ?? known.path }] });
}

test("a true history is not complained of", () => {
  const findings = findingsOf(everyday());
  expect(findings.broken).toEqual([]);
  expect([...findings.tiers]).toEqual([["exact", 4], ["delete", 1], ["scale", 1]]); // oxfmt-ignore
});

describe("what an everyday history is falsified by", () => {
  test.each<[what: string, broken: string, falsify: (story: Story) => void]>([
    ["a commit is missing", "I3 I7", ({ commits }) => commits.splice(2, 1)],
    ["the last commit is missing", "I5 I7", ({ commits }) => commits.splice(6, 1)],
    ["a deletion is missing", "I5 I7", ({ commits }) => commits.splice(4, 1)],
    ["a commit is there twice", "I2", ({ commits }) => commits.splice(3, 0, ...commits.slice(2, 3))],
    ["a commit is there once more, later", "I1 I3 I4", ({ commits }) => commits.splice(4, 0, ...commits.slice(2, 3))],
    ["two commits are swapped", "I3 I4", ({ commits }) => commits.splice(2, 2, ...commits.slice(2, 4).toReversed())],
    ["a write that never was", "I2 I7", (story) => trailers(story, 6, { "Kubescribe-Resource-Version": ["99"] })],
    ["another incarnation", "I2 I7", (story) => trailers(story, 6, { "Kubescribe-Uid": ["another"] })],
    ["nobody knows what became of it", "I2 I7", (story) => trailers(story, 4, { "Kubescribe-Uid": ["unknown"] })],
    ["a DELETE of what was only changed", "I2", (story) => trailers(story, 3, { "Kubescribe-Operation": ["DELETE"] })],
    [
      "a kind that nobody gave cause for",
      "I2 I3 I7",
      (story) => trailers(story, 3, { "Kubescribe-Kind": ["takeover"] }),
    ],
    ["a type begins twice", "I2", ({ commits }) => commits.splice(1, 0, ...commits.slice(0, 1))],
    ["the snapshot lacks a file", "I2 I5", (story) => change(story, 0, { files: [] })],
    ["a commit of nothing", "I2 I5 I7", (story) => change(story, 6, { files: [] })],
    ["another author", "I3", (story) => credit(story, 2, "carol")],
    ["another author of a creation", "I3", (story) => credit(story, 1, "bob")],
    ["another author of a deletion", "I3", (story) => credit(story, 4, "bob")],
    ["another author of a scale", "I3", (story) => credit(story, 6, "bob")],
    ["the author line is another's", "I3", (story) => change(story, 2, signed("mallory"))],
    ["an address that is somebody else's", "I3", (story) => change(story, 2, { authorEmail: "carol@example.com" })],
    ["a date at which the author asked for nothing", "I3", (story) => change(story, 2, { authoredAt: 1_600_000_000 })],
    ["another committer", "I3", (story) => change(story, 2, { committerName: "bob" })],
    ["a snapshot by a user", "I3", (story) => change(story, 0, signed("alice@example.com"))],
    ["nobody, though he was answered", "I3", (story) => doubt(story, 2, "unresolved")],
    ["a deletion by nobody, though he was answered", "I3", (story) => doubt(story, 4, "unresolved")],
    ["a scale by nobody, though he was answered", "I3", (story) => doubt(story, 6, "unresolved")],
    ["collapsed without a gap", "I3", (story) => doubt(story, 2, "collapsed")],
    ["recovered without a gap", "I3", (story) => trailers(story, 2, { "Kubescribe-Attribution": ["recovered"] })],
    ["faulted, and nothing failed", "I3", (story) => trailers(story, 2, { "Kubescribe-Faulted": ["true"] })],
    ["candidates of what is certain", "I3", (story) => trailers(story, 2, { "Kubescribe-Candidate": ["bob"] })],
    ["an epoch that never was", "I4", (story) => trailers(story, 2, { "Kubescribe-Epoch": ["1"] })],
    ["another content, mended by the next", "I3 I5", (story) => file(story, 2, "older")],
    ["another content to the end", "I5", (story) => file(story, 6, "older")],
    ["another path", "I2 I3 I5", (story) => file(story, 5, story.commits[5]?.files[0]?.after ?? "", "all/other.yaml")],
    ["a file of nobody", "I5", (story) => beside(story, 3, "all/other.yaml")],
    ["a file outside of every target", "I5", (story) => beside(story, 3, "README.md")],
  ])("%s", (_, broken, falsify) => {
    const story = everyday();
    falsify(story);
    expect(brokenOf(story)).toBe(broken);
  });
});

function beside(story: Story, index: number, path: string): void {
  const files = story.commits[index]?.files ?? [];
  change(story, index, { files: [...files, { status: "A", path, before: "", after: "blob" }] });
}

describe("a time without reviews", () => {
  /** Commits: those of every day, and 7 tells of ten seconds. */
  function blinded(): Story {
    const story = everyday();
    story.tellBlind(story.goBlind(10_000));
    return story;
  }

  test.each<[what: string, broken: string, falsify: (story: Story) => void]>([
    ["as it was", "", () => undefined],
    ["and nobody tells", "co", ({ commits }) => commits.splice(7, 1)],
    ["told a bit early, by the last sign of life", "", (story) => shift(story, "From", -5_000)],
    ["told too early", "co", (story) => shift(story, "From", -7_000)],
    ["told too late", "co", (story) => shift(story, "From", 1_500)],
    ["whose end is told too early", "co", (story) => shift(story, "To", -1_500)],
    ["that goes on", "co", (story) => trailers(story, 7, { "Kubescribe-Blind-To": [] })],
    ["told twice", "co", ({ commits }) => commits.push(...commits.slice(7, 8))],
    ["for no reason", "co", (story) => trailers(story, 7, { "Kubescribe-Blind-Reason": [] })],
    ["together with a file", "co", (story) => beside(story, 7, "all/other.yaml")],
    ["told by a user", "I3", (story) => change(story, 7, signed("bob"))],
    ["that ends before it begins", "co", (story) => shift(story, "To", -11_000)],
  ])("%s", (_, broken, falsify) => {
    const story = blinded();
    falsify(story);
    expect(brokenOf(story)).toBe(broken);
  });

  test("of which there was none", () => {
    const story = everyday();
    story.tellBlind({ fromMs: Date.parse("2000-01-01"), toMs: Date.parse("2100-01-01") });
    expect(brokenOf(story)).toBe("co");
  });

  test("may be told wrongly by as much as the clock was moved", () => {
    const story = blinded();
    story.jump(3_000);
    shift(story, "From", 2_500);
    expect(brokenOf(story)).toBe("");
  });
});

function shift(story: Story, end: "From" | "To", ms: number): void {
  const [time = ""] = story.commits[7]?.trailers.get(`Kubescribe-Blind-${end}`) ?? [];
  trailers(story, 7, { [`Kubescribe-Blind-${end}`]: [new Date(Date.parse(time) + ms).toISOString()] });
}

describe("a tie", () => {
  /** Carol asks first, and bob wins. */
  function tied(candidates: readonly string[]): Story {
    const story = new Story();
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    const same = { verb: "patch", name: "one", body: data("2") } as const;
    const write = story.race({ ...same, user: "bob" }, { ...same, user: "carol" });
    story.tell(write, "tie", { Candidate: candidates });
    return story;
  }

  test.each([
    ["of both", "", ["carol", "bob"]],
    ["with the second one first", "I3", ["bob", "carol"]],
    ["of one", "I3", ["bob"]],
    ["without the one", "I3", ["carol", "alice"]],
    ["with somebody who did not ask", "I3", ["bob", "alice"]],
    ["with somebody whom nobody knows", "I3", ["bob", "mallory"]],
  ])("%s", (_, broken, candidates) => {
    expect(brokenOf(tied(candidates))).toBe(broken);
  });

  test("whose first came back, to change nothing", () => {
    const story = tied(["bob", "carol"]);
    story.act({ user: "carol", verb: "patch", name: "one", body: {} });
    expect(brokenOf(story)).toBe("");
  });

  test("whose author is not its first", () => {
    const story = tied(["carol", "bob"]);
    trailers(story, 2, { "Kubescribe-Candidate": ["bob", "carol"] });
    expect(brokenOf(story)).toBe("I3");
  });
});

test.each<[what: string, befalls: (story: Story) => void, broken: string]>([
  ["a full disk and a crash", (story) => (story.refuse(), story.restart()), ""],
  ["a full disk", (story) => story.refuse(), "I3"],
  ["a crash", (story) => story.restart(), "I3"],
])("a tie of one after %s", (_, befalls, broken) => {
  const story = new Story();
  for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
  const [write] = story.act({ user: "bob", verb: "patch", name: "one", body: data("2"), unseen: true });
  befalls(story);
  if (write === undefined) throw new Error("nothing was written");
  story.watches.delivered(write.typeKey, write.revision);
  story.tell(write, "tie", { Candidate: ["bob"] });
  expect(brokenOf(story)).toBe(broken);
});

test.each([
  ["in the first minute of a process", 0, ""],
  ["later", 60_001, "I3"],
])("a tie of one of who came after a full disk and a crash, %s", (_, laterMs, broken) => {
  const story = new Story();
  for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
  story.refuse();
  story.restart();
  story.wait(laterMs);
  for (const write of story.act({ user: "bob", verb: "patch", name: "one", body: data("2") }))
    story.tell(write, "tie", { Candidate: ["bob"] });
  expect(brokenOf(story)).toBe(broken);
});

test.each([
  ["looks younger by a clock that was put back", -30_000, ""],
  ["is over", 0, "I3"],
])("a tie of one, where a gap that a process found %s", (_, jumpMs, broken) => {
  const story = new Story();
  for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
  story.refuse();
  story.wait(40_000);
  story.restart();
  story.jump(jumpMs);
  story.wait(70_000);
  for (const write of story.act({ user: "bob", verb: "patch", name: "one", body: data("2") }))
    story.tell(write, "tie", { Candidate: ["bob"] });
  expect(brokenOf(story)).toBe(broken);
});

test("what a stream still held when a backup was restored is of the time before", () => {
  const { watches } = new Story();
  const { era } = watches;
  watches.restored(era + 1, [CONFIG_MAPS.key]);
  watches.delivered(CONFIG_MAPS.key, 7, era);
  watches.listed(CONFIG_MAPS.key, 9, era);
  const told = (of: number, revision: number): boolean =>
    watches.hasRead({ typeKey: CONFIG_MAPS.key, era: of, revision });
  expect([told(era, 7), told(era, 8), told(era, 10), told(era + 1, 7), told(era + 1, 8)]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

describe("what nobody reviewed (K50)", () => {
  interface Planting {
    readonly asked?: boolean;
    readonly laterMs?: number;
    readonly restarted?: boolean;
    readonly review?: "answered" | "lost";
  }
  /** Bob asked for a deletion, which was denied; then it happens by alice, unreviewed, and bob is named. */
  function planted({ asked = true, laterMs = 0, restarted = false, review = "lost" }: Planting): Story {
    const story = new Story();
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    if (asked) story.act({ user: "bob", verb: "delete", name: "one", denied: true });
    if (restarted) story.restart();
    story.wait(laterMs);
    for (const write of story.act({ user: "alice", verb: "delete", name: "one", review }))
      story.tell(write, "delete", { "Changed-By": "bob" });
    return story;
  }

  test("is counted where somebody else had asked for it", () => {
    const findings = findingsOf(planted({}));
    expect([findings.broken, findings.planted]).toEqual([[], 1]);
  });

  test.each<[string, Planting]>([
    ["where nobody had", { asked: false }],
    ["where he had long ago", { laterMs: 11_000 }],
    ["where nobody was looking in between", { restarted: true }],
    ["where the one who did it was reviewed", { review: "answered" }],
  ])("is wrong %s", (_, planting) => {
    const findings = findingsOf(planted(planting));
    expect([findings.broken.map((line) => line.slice(0, 2)), findings.planted]).toEqual([["I3"], 0]);
  });

  test.each([
    ["just the number", {}, 1],
    ["more than the number", { metadata: { annotations: { note: "more" } } }, 0],
  ])("a Scale may be credited with %s or not", (_, more, counted) => {
    const story = new Story();
    const web = { type: DEPLOYMENTS, name: "web" };
    for (const write of story.act({ ...web, user: "alice", verb: "create", body: deployment })) story.tell(write);
    const body = { spec: { replicas: 3 } };
    story.act({ ...scaled, user: "bob", name: "web", body, denied: true });
    for (const write of story.act({ ...web, user: "alice", verb: "patch", body: { ...body, ...more }, review: "lost" }))
      story.tell(write, "scale", { "Changed-By": "bob" });
    const findings = findingsOf(story);
    expect([findings.broken.map((line) => line.slice(0, 2)), findings.planted]).toEqual([
      counted === 1 ? [] : ["I3"],
      counted,
    ]);
  });

  test("may be nobody's", () => {
    const story = new Story();
    for (const write of story.act({ user: "alice", verb: "create", name: "one", review: "lost" }))
      story.tell(write, "unresolved");
    expect(brokenOf(story)).toBe("");
  });
});

describe("what excuses that nobody is named", () => {
  test.each<[what: string, deed: "delete" | "patch", befalls: (story: Story) => void, broken: string]>([
    ["a deletion that was read too late", "delete", (story) => story.wait(11_000), ""],
    ["a change that was read too late", "patch", (story) => story.wait(11_000), "I3"],
    ["a deletion across a blind time", "delete", (story) => story.restart(), ""],
    ["a change across a crash", "patch", (story) => story.restart(), "I7"],
    ["a change that a full disk kept from the journal", "patch", (story) => (story.refuse(), story.restart()), ""],
    ["a full disk, and no crash", "patch", (story) => story.refuse(), "I3"],
    ["a disk that was full later", "patch", (story) => (story.wait(2_000), story.refuse(), story.restart()), "I7"],
    ["a change that was read in time", "patch", () => undefined, "I3"],
    ["a review that had expired", "patch", (story) => story.wait(601_000), ""],
    ["a clock that jumped", "patch", (story) => story.jump(601_000), "I3"],
    [
      "a clock that jumped before the next process began",
      "patch",
      (story) => (story.jump(601_000), story.restart()),
      "",
    ],
  ])("%s", (_, verb, befalls, broken) => {
    const story = new Story();
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    const [write] = story.act({
      user: "bob",
      verb,
      name: "one",
      body: verb === "patch" ? data("2") : {},
      unseen: true,
    });
    if (write === undefined) throw new Error("nothing was written");
    befalls(story);
    story.watches.delivered(write.typeKey, write.revision);
    story.tell(write, "unresolved");
    expect(brokenOf(story)).toBe(broken);
  });

  test.each([
    [2, ""],
    [3, "I3"],
  ])("%i reviews of one resource may wait, and two came behind it", (pendingPerResource, broken) => {
    const story = new Story({ pendingPerResource });
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    const [write] = story.act({ user: "bob", verb: "patch", name: "one", body: data("2"), unseen: true });
    for (const user of ["carol", "dave"])
      story.act({ user, verb: "patch", name: "one", body: data(user), denied: true, unseen: true });
    if (write === undefined) throw new Error("nothing was written");
    story.watches.delivered(write.typeKey, write.revision);
    story.tell(write, "unresolved");
    expect(brokenOf(story)).toBe(broken);
  });
});

test.each([
  [2, "by events", false, ""],
  [3, "by events", false, "I3"],
  [2, "by a list", true, ""],
  [4, "by a list", true, "I3"],
])("a log of %i verdicts was filled %s before it was committed", (verdictLogEntries, _, listed, broken) => {
  const story = new Story({ verdictLogEntries });
  const [write] = story.act({ user: "alice", verb: "create", name: "one", body: data("1") });
  const others = story.act(
    { user: "bob", verb: "create", name: "two", unseen: listed },
    { user: "bob", verb: "create", name: "three", unseen: listed },
  );
  if (listed) story.watches.listed(CONFIG_MAPS.key, story.cluster.store.revision);
  if (write === undefined) throw new Error("nothing was written");
  story.tell(write, "unresolved");
  for (const other of others) story.tell(other);
  expect(brokenOf(story)).toBe(broken);
});

describe("behind a gap", () => {
  /** Bob's and carol's changes are seen as one. */
  function gapped(tier: string, said: Readonly<Record<string, string | readonly string[]>> = {}): Story {
    const story = new Story();
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    const [, last] = story.gap(() => {
      story.act({ user: "bob", verb: "patch", name: "one", body: data("2"), unseen: true });
      story.act({ user: "carol", verb: "patch", name: "one", body: data("3"), unseen: true });
    });
    if (last !== undefined) story.tell(last, tier, said);
    for (const write of story.act({ user: "dave", verb: "patch", name: "one", body: data("4") })) story.tell(write);
    return story;
  }

  test.each<[string, string, string, Readonly<Record<string, string | readonly string[]>>]>([
    ["two writers are candidates", "", "collapsed", { Candidate: ["bob", "carol"] }],
    ["nobody is known", "", "unresolved", {}],
    ["a candidate never asked", "I3", "collapsed", { Candidate: ["mallory"] }],
    ["the last one is credited with both", "I3", "exact", {}],
    ["the last one recovered what another began", "I3", "recovered", {}],
    ["a wrong one recovered it", "I3", "recovered", { "Changed-By": "bob" }],
    ["it is said to be a deletion", "I2", "collapsed", { Operation: "DELETE" }],
  ])("%s", (_, broken, tier, said) => {
    expect(brokenOf(gapped(tier, said))).toBe(broken);
  });

  test("one writer may have made it all", () => {
    const story = new Story();
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    const [write] = story.gap(() =>
      story.act({ user: "bob", verb: "patch", name: "one", body: data("2"), unseen: true }),
    );
    if (write !== undefined) story.tell(write, "recovered");
    expect(brokenOf(story)).toBe("");
  });

  test.each([
    ["who removed it", "delete", {}, ""],
    ["one of two who removed it", "tie", { Candidate: ["carol", "dave"] }, ""],
    ["who did not remove it", "delete", { "Changed-By": "bob" }, "I3"],
  ])("%s takes others' lines along", (_, tier, said, broken) => {
    const story = new Story();
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    const [, deletion] = story.gap(() => {
      story.act({ user: "bob", verb: "patch", name: "one", body: data("2"), unseen: true });
      const removal = { verb: "delete", name: "one", unseen: true } as const;
      story.race({ ...removal, user: "carol" }, { ...removal, user: "dave" });
    });
    if (deletion !== undefined) story.tell(deletion, tier, said);
    expect(brokenOf(story)).toBe(broken);
  });

  test("what comes after it is not excused", () => {
    const story = gapped("collapsed");
    doubt(story, 3, "unresolved");
    expect(brokenOf(story)).toBe("I3");
  });

  test("what came before it is not excused", () => {
    const story = gapped("collapsed");
    story.commits.splice(1, 1);
    expect(brokenOf(story)).toBe("I7");
  });

  test("another type is not excused", () => {
    const story = new Story();
    const [write] = story.gap(() =>
      story.act({ user: "bob", verb: "create", type: DEPLOYMENTS, name: "web", body: deployment, unseen: true }),
    );
    if (write !== undefined) story.tell(write, "unresolved");
    expect(brokenOf(story)).toBe("I3");
  });

  test.each([
    ["is gone", true, ""],
    ["is still there", false, "I2 I5"],
  ])("a list may leave out what %s", (_, deleted, broken) => {
    const story = new Story();
    const [write] = story.act({ user: "alice", verb: "create", name: "one", body: data("1") });
    if (write === undefined) throw new Error("nothing was written");
    story.tell(write);
    story.gap(() => {
      if (deleted) story.act({ user: "bob", verb: "delete", name: "one", unseen: true });
      else story.act({ user: "bob", verb: "create", name: "two", unseen: true });
    });
    const listed = { ...write, revision: story.cluster.store.revision + 0, after: null };
    story.tell(listed, "unresolved", { Uid: "unknown", Operation: "DELETE" });
    if (!deleted) story.tell(story.truth.writes.at(-1) ?? write, "unresolved");
    expect(brokenOf(story)).toBe(broken);
  });
});

test("of two watches, one may still be behind a gap that the other has left", () => {
  const { watches } = new Story();
  const { key: typeKey } = CONFIG_MAPS;
  watches.refused(typeKey, 3);
  watches.listed(typeKey, 6);
  // One reads on from the list; the other was at 4, and is refused before and behind that.
  watches.refused(typeKey, 4);
  watches.streamed(typeKey, 8);
  watches.refused(typeKey, 8);
  watches.listed(typeKey, 12);
  expect(watches.gapsAt({ typeKey, era: 0, revision: 7 })).toHaveLength(1);
});

test("what bore the name before is gone with the creation of what bears it now", () => {
  const story = new Story();
  for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
  const [deletion, creation] = story.gap(() => {
    story.act({ user: "bob", verb: "delete", name: "one", unseen: true });
    story.act({ user: "carol", verb: "create", name: "one", body: data("2"), unseen: true });
  });
  if (deletion === undefined || creation === undefined) throw new Error("nothing was written");
  story.tell({ ...deletion, revision: creation.revision }, "unresolved", { Uid: "unknown" });
  story.tell(creation, "recovered");
  expect(findingsOf(story).broken).toEqual([]);
});

test("what bore the name before has not ended, and somebody is said to have made what bears it now", () => {
  const story = new Story();
  for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
  const [, creation] = story.gap(() => {
    story.act({ user: "bob", verb: "delete", name: "one", unseen: true });
    story.act({ user: "carol", verb: "create", name: "one", body: data("2"), unseen: true });
  });
  if (creation !== undefined) story.tell(creation, "recovered");
  expect(brokenOf(story)).toBe("I2 I3");
});

describe("a restored backup", () => {
  function restored(epoch: string): Story {
    const story = new Story();
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    for (const write of story.act({ user: "bob", verb: "patch", name: "one", body: data("2") })) story.tell(write);
    story.restore(1);
    story.watches.listed(CONFIG_MAPS.key, story.cluster.store.revision);
    story.watches.streamed(CONFIG_MAPS.key, story.cluster.store.revision);
    const [back] = story.truth.find(story.truth.writes.at(-1)?.uid ?? "", story.cluster.store.revision);
    if (back !== undefined) story.tell(back, "unresolved", { Epoch: "1", Operation: "UPDATE" });
    for (const write of story.act({ user: "carol", verb: "patch", name: "one", body: data("3") }))
      story.tell(write, "exact", { Epoch: epoch });
    return story;
  }

  test("begins an epoch", () => {
    expect(findingsOf(restored("1")).broken).toEqual([]);
  });

  test("may come between two deletions of one lease", () => {
    const story = new Story();
    const { store } = story.cluster;
    const names = ["one", "two"];
    const deeds = names.map((name) => ({ user: "alice", verb: "create", name, body: data("1") }) as const);
    for (const write of story.act(...deeds)) story.tell(write);
    const keys = names.map((name) => ({ typeKey: CONFIG_MAPS.key, namespace: "default", name }));
    store.expire(keys, { user: "etcd", subresource: "", reviewed: false });
    const [first, second] = story.truth.at(0, store.revision);
    if (first === undefined || second === undefined) throw new Error("nothing was deleted");
    story.watches.delivered(CONFIG_MAPS.key, store.revision);
    story.tell(first, "unresolved");
    story.wait(2000);
    story.restore(0);
    story.watches.listed(CONFIG_MAPS.key, store.revision);
    story.watches.streamed(CONFIG_MAPS.key, store.revision);
    story.tell({ ...second, revision: store.revision, era: 1 }, "unresolved", { Uid: "unknown" });
    expect(findingsOf(story).broken).toEqual([]);
  });

  test("that a type began behind shows nothing of itself", () => {
    const { truth, files, watches, commits } = new Story();
    const snapshots = new Snapshots({ findings: new Findings(), truth, files, watches });
    watches.restored(1, [CONFIG_MAPS.key]);
    watches.listed(CONFIG_MAPS.key, truth.writes.at(-1)?.revision ?? 0);
    for (const commit of commits) snapshots.see(commit);
    expect([snapshots.eraOf(CONFIG_MAPS.key, 0), snapshots.eraOf(CONFIG_MAPS.key, 2)]).toEqual([1, 3]);
    expect(snapshots.eraOf(DEPLOYMENTS.key, 2)).toBe(2);
  });

  test.each([
    ["before it is no candidate", true, "I3"],
    ["after it may be one", false, ""],
  ])("who asked %s", (_, before, broken) => {
    const story = new Story();
    const ask = (): unknown => story.act({ user: "dave", verb: "delete", name: "one", denied: true });
    for (const write of story.act({ user: "alice", verb: "create", name: "one", body: data("1") })) story.tell(write);
    for (const write of story.act({ user: "bob", verb: "patch", name: "one", body: data("2") })) story.tell(write);
    if (before) ask();
    story.restore(1);
    if (!before) ask();
    story.watches.listed(CONFIG_MAPS.key, story.cluster.store.revision);
    story.watches.streamed(CONFIG_MAPS.key, story.cluster.store.revision);
    const [back] = story.truth.find(story.truth.writes.at(-1)?.uid ?? "", story.cluster.store.revision);
    if (back !== undefined) story.tell(back, "collapsed", { Epoch: "1", Operation: "UPDATE", Candidate: ["dave"] });
    expect(brokenOf(story)).toBe(broken);
  });

  test.each(["", "0", "2"])("not epoch '%s'", (epoch) => {
    expect(brokenOf(restored(epoch))).toMatch(/I4/);
  });
});

test("bounds hold", () => {
  const within = { what: "queue_bytes", highest: 10, bound: 10 };
  expect(overflows([within, { ...within, highest: 11 }, { ...within, highest: Number.NaN }])).toHaveLength(2);
});

test("what is left in the end is told", () => {
  const levels = new Map([["queue_depth", 2]]);
  const now = (gauge: string): number => levels.get(gauge) ?? 0;
  expect(uncommitted({ now })).toEqual(["liveness: queue_depth is 2, and nothing has happened for long"]);
  expect(unforgotten({ now })).toEqual([]);
  levels.set("actors", 1);
  expect(unforgotten({ now })).toHaveLength(1);
});
