import { transition } from "xstate";
import { describe, expect, it } from "vitest";

import type { SameContent, Witness } from "../../machines/attribution.ts";
import type { ResourceVersion } from "../../machines/messages.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import { blankResource } from "../../machines/resource-changes.ts";
import type { ResourceEffect, ResourceEvent } from "../../machines/resource-changes.ts";
import { resourceMachine } from "../../machines/resource.ts";
import { correlationOf, eventOf } from "../fakes/messages.ts";
import type { CorrelationSketch, EventSketch } from "../fakes/messages.ts";

/** A story of one resource: what happened, and what came of it. */
class Story {
  #snapshot = resourceMachine.resolveState({ value: "unseen", context: blankResource });
  #arrival = 0;
  readonly commits: string[] = [];
  readonly amended: string[] = [];
  readonly dropped: string[] = [];
  #freshSinceMs = 0;
  #openSinceMs = 0;
  #witness: Witness | null = null;
  #sameContent: SameContent = () => false;

  review(sketch: CorrelationSketch, capacity = 100): this {
    this.#arrival += 1;
    const correlation = correlationOf({ ...sketch, arrival: this.#arrival });
    return this.#send({
      type: "correlated",
      entry: { correlation, sinceMs: sketch.sinceMs ?? 100 },
      capacity,
    });
  }

  see(sketch: EventSketch): this {
    return this.#send({
      type: "observed",
      event: eventOf(sketch),
      epoch: sketch.epoch ?? 0,
      horizon: { freshSinceMs: this.#freshSinceMs, openSinceMs: this.#openSinceMs, witness: this.#witness },
      sameContent: this.#sameContent,
    });
  }

  list(sketch: EventSketch, unbroken = false): this {
    return this.#send({
      type: "listed",
      event: eventOf(sketch),
      epoch: sketch.epoch ?? 0,
      unbroken,
    });
  }

  miss(version: number, epoch: number): this {
    const { type: resource, namespace, name } = eventOf({ version, object: "" });
    const cursor = { epoch, resourceVersion: String(version) as ResourceVersion };
    return this.#send({ type: "missing", resource, namespace, name, cursor, atMs: 0 });
  }

  freshSince(ms: number): this {
    this.#freshSinceMs = ms;
    return this;
  }

  openSince(ms: number): this {
    this.#openSinceMs = ms;
    return this;
  }

  witnessed(base: number, freshSinceMs: number): this {
    this.#witness = { base: String(base) as ResourceVersion, freshSinceMs };
    return this;
  }

  alike(same: SameContent): this {
    this.#sameContent = same;
    return this;
  }

  get state(): string {
    return this.#snapshot.value;
  }

  #send(event: ResourceEvent): this {
    [this.#snapshot] = transition(resourceMachine, this.#snapshot, event);
    for (const effect of this.#snapshot.context.effects) this.#note(effect);
    return this;
  }

  #note(effect: ResourceEffect): void {
    if (effect.kind === "drop")
      this.dropped.push(`${effect.reason} ${effect.correlations.map((c) => c.user).join(" ")}`);
    else if (effect.kind === "amend")
      this.amended.push(effect.verdict.candidates.map((candidate) => candidate.user).join(" "));
    else {
      const { operation, resourceVersion, verdict } = effect.change;
      const candidates = verdict.candidates.map((candidate) => candidate.user).join(" ");
      const who = verdict.author?.user ?? "nobody";
      this.commits.push(
        `${operation} ${resourceVersion} ${verdict.tier} ${who}${candidates === "" ? "" : ` of ${candidates}`}`,
      );
    }
  }
}

const created = () =>
  new Story()
    .review({ operation: "CREATE", user: "ann", object: "a" })
    .see({ kind: "ADDED", version: 10, object: "a" });

describe("a creation", () => {
  it("belongs to the only creator of its uid", () => {
    expect(created().commits).toEqual(["CREATE 10 exact ann"]);
  });

  it("belongs to him even where defaults made other bytes of it (K36)", () => {
    const story = new Story().review({ operation: "CREATE", user: "ann", object: "a" });
    expect(story.see({ kind: "ADDED", version: 10, object: "a with defaults" }).commits).toEqual([
      "CREATE 10 exact ann",
    ]);
  });

  it("is nobody's without a review, or with one of another uid", () => {
    const story = new Story().review({
      operation: "CREATE",
      user: "ann",
      object: "a",
      uid: "other",
    });
    expect(story.see({ kind: "ADDED", version: 10, object: "a" }).commits).toEqual(["CREATE 10 unresolved nobody"]);
  });
});

describe("an update", () => {
  it("belongs to the one whose bytes are the event's, whatever came before him in the line", () => {
    const story = created()
      .review({ operation: "UPDATE", user: "loser", base: 10, object: "l" })
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b" })
      .see({ kind: "MODIFIED", version: 11, object: "b" });
    expect(story.commits.at(-1)).toBe("UPDATE 11 exact bob");
    expect(story.dropped.at(-1)).toBe("retired loser bob");
  });

  it("is not given to equal bytes on another base", () => {
    const story = created()
      .see({ kind: "MODIFIED", version: 11, object: "x" })
      .review({ operation: "UPDATE", user: "late", base: 10, object: "b" })
      .see({ kind: "MODIFIED", version: 12, object: "b" });
    expect(story.commits.at(-1)).toBe("UPDATE 12 unresolved nobody");
    expect(story.dropped).toContain("stale late");
  });

  it("with equal bytes of two users is a tie, the first ahead; one user twice is no tie", () => {
    const tie = created()
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b" })
      .review({ operation: "UPDATE", user: "cat", base: 10, object: "b" })
      .see({ kind: "MODIFIED", version: 11, object: "b" });
    expect(tie.commits.at(-1)).toBe("UPDATE 11 tie bob of bob cat");
    const twice = created()
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b" })
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b" })
      .see({ kind: "MODIFIED", version: 11, object: "b" });
    expect(twice.commits.at(-1)).toBe("UPDATE 11 exact bob");
  });

  it("puts the loser who comes back with a no-op last, and stays a tie (K37)", () => {
    const story = created()
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b" })
      .review({ operation: "UPDATE", user: "cat", base: 10, object: "b" })
      .see({ kind: "MODIFIED", version: 11, object: "b" })
      .review({ operation: "UPDATE", user: "bob", base: 11, object: "b", oldObject: "b" });
    expect(story.amended).toEqual(["cat bob"]);
  });

  it("that a bound may have taken a candidate from is at most a tie", () => {
    const story = created()
      .review({ operation: "UPDATE", user: "evicted", base: 10, object: "b" }, 1)
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b" }, 1)
      .see({ kind: "MODIFIED", version: 11, object: "b" });
    expect(story.dropped).toContain("evicted evicted");
    expect(story.commits.at(-1)).toBe("UPDATE 11 tie bob of bob");
    story
      .review({ operation: "UPDATE", user: "cat", base: 11, object: "c" })
      .see({ kind: "MODIFIED", version: 12, object: "c" });
    expect(story.commits.at(-1)).toBe("UPDATE 12 exact cat");
  });

  it("without equal bytes goes by content, if that names one user", () => {
    const story = created()
      .alike((candidate) => candidate.user !== "loser")
      .review({ operation: "UPDATE", user: "loser", base: 10, object: "l" })
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "[]" })
      .see({ kind: "MODIFIED", version: 11, object: "null" });
    expect(story.commits.at(-1)).toBe("UPDATE 11 content bob");
  });

  it("by content counts only while it is fresh: a denied attempt must not pick up a later write", () => {
    const story = created()
      .alike(() => true)
      .review({ operation: "UPDATE", user: "denied", base: 10, object: "[]" })
      .freshSince(Number.MAX_SAFE_INTEGER)
      .see({ kind: "MODIFIED", version: 11, object: "null" });
    expect(story.commits.at(-1)).toMatch(/^UPDATE 11 unresolved/);
  });

  it("of status alone makes no change, and moves the chain", () => {
    const story = created()
      .see({ kind: "MODIFIED", version: 11, object: "a, ready", rest: "a" })
      .review({ operation: "UPDATE", user: "bob", base: 11, object: "b" })
      .see({ kind: "MODIFIED", version: 12, object: "b" });
    expect(story.commits).toEqual(["CREATE 10 exact ann", "UPDATE 12 exact bob"]);
  });

  it("seen twice counts once", () => {
    const story = created()
      .see({ kind: "MODIFIED", version: 11, object: "b" })
      .see({ kind: "MODIFIED", version: 11, object: "b" });
    expect(story.commits.length).toBe(2);
  });
});

describe("a scale", () => {
  const scaled = () => created().see({ kind: "MODIFIED", version: 11, object: "two", rest: "d", replicas: 2 });

  it("belongs to the Scale that asked for the number", () => {
    const story = scaled()
      .review({
        operation: "UPDATE",
        user: "hpa",
        base: 11,
        subresource: "scale",
        replicas: 0,
        object: "s0",
        oldObject: "s2",
      })
      .review({
        operation: "UPDATE",
        user: "bob",
        base: 11,
        subresource: "scale",
        replicas: 5,
        object: "s5",
        oldObject: "s2",
      })
      .see({ kind: "MODIFIED", version: 12, object: "five", rest: "d", replicas: 5 });
    expect(story.commits.at(-1)).toBe("UPDATE 12 scale bob");
  });

  it("may put a 0 where there was no number", () => {
    const story = created()
      .see({ kind: "MODIFIED", version: 11, object: "none", rest: "d" })
      .review({
        operation: "UPDATE",
        user: "bob",
        base: 11,
        subresource: "scale",
        replicas: 0,
        object: "s0",
        oldObject: "s0",
      })
      .see({ kind: "MODIFIED", version: 12, object: "zero", rest: "d+", replicas: 0 });
    expect(story.commits.at(-1)).toBe("UPDATE 12 scale bob");
  });

  it("may make the spec that its number stands in, and an empty spec is a change of its own", () => {
    const story = created()
      .see({ kind: "MODIFIED", version: 11, object: "none", rest: "d" })
      .review({
        operation: "UPDATE",
        user: "bob",
        base: 11,
        subresource: "scale",
        replicas: 5,
        object: "s5",
        oldObject: "s0",
      })
      .see({ kind: "MODIFIED", version: 12, object: "five", rest: "d+", replicas: 5 })
      .see({ kind: "MODIFIED", version: 13, object: "empty", rest: "d+" })
      .see({ kind: "MODIFIED", version: 14, object: "gone", rest: "d" });
    expect(story.commits.slice(-3)).toEqual([
      "UPDATE 12 scale bob",
      "UPDATE 13 unresolved nobody",
      "UPDATE 14 unresolved nobody",
    ]);
  });

  it.each([
    ["something else changed too", { object: "five", rest: "e", replicas: 5 }, 0],
    ["it is stale", { object: "five", rest: "d", replicas: 5 }, 1000],
  ])("is unresolved when %s", (_, event, freshSinceMs) => {
    const story = scaled()
      .freshSince(freshSinceMs)
      .review({
        operation: "UPDATE",
        user: "bob",
        base: 11,
        subresource: "scale",
        replicas: 5,
        object: "s5",
        oldObject: "s2",
      })
      .see({ kind: "MODIFIED", version: 12, ...event });
    expect(story.commits.at(-1)).toBe("UPDATE 12 unresolved nobody");
  });
});

describe("a deletion", () => {
  it.each([
    ["may still be under way: it is a tie", 50, "DELETE 11 tie late"],
    ["is over", 101, "DELETE 11 delete late"],
  ])("names nobody as certain beside one who asked too long ago, if his request %s", (_, openSinceMs, verdict) => {
    const story = created()
      .freshSince(1_000)
      .openSince(openSinceMs)
      .review({ operation: "DELETE", user: "early", base: 10, sinceMs: 100 })
      .review({ operation: "DELETE", user: "late", base: 10, sinceMs: 2_000 })
      .see({ kind: "DELETED", version: 11, object: "a" });
    expect(story.commits.at(-1)).toContain(verdict);
  });

  it("is the event that sets deletionTimestamp; the finalizer's controller is not who deleted it (K11)", () => {
    const story = created()
      .review({ operation: "DELETE", user: "dan", base: 10 })
      .see({ kind: "MODIFIED", version: 11, object: "a", terminating: true })
      .review({ operation: "UPDATE", user: "controller", base: 11, object: "f" })
      .see({ kind: "MODIFIED", version: 12, object: "f", terminating: true })
      .see({ kind: "DELETED", version: 13, object: "f", terminating: true });
    expect(story.commits).toEqual(["CREATE 10 exact ann", "DELETE 11 delete dan"]);
    expect(story.state).toBe("gone");
  });

  it("asked for by two is a tie", () => {
    const story = created()
      .review({ operation: "DELETE", user: "dan", base: 10 })
      .review({ operation: "DELETE", user: "eve", base: 10 })
      .see({ kind: "DELETED", version: 11, object: "a" });
    expect(story.commits.at(-1)).toBe("DELETE 11 tie dan of dan eve");
  });

  it("of Endpoints is not the endpoint controller's, which comes late for what the API server removes by itself (K39)", () => {
    const typeKey = typeKeyOf("", "endpoints");
    const user = "system:serviceaccount:kube-system:endpoint-controller";
    const story = (): Story => created().review({ operation: "DELETE", user, base: 10, typeKey });
    expect(story().see({ kind: "DELETED", version: 11, object: "a" }).commits.at(-1)).toBe(
      "DELETE 11 unresolved nobody",
    );
    const asked = story().review({ operation: "DELETE", user: "dan", base: 10, typeKey });
    expect(asked.see({ kind: "DELETED", version: 11, object: "a" }).commits.at(-1)).toBe("DELETE 11 delete dan");
  });

  it("is nobody's when the only request is stale or from before a blind time (K50)", () => {
    const stale = created().freshSince(200).review({ operation: "DELETE", user: "denied", base: 10, sinceMs: 100 });
    expect(stale.see({ kind: "DELETED", version: 11, object: "a" }).commits.at(-1)).toBe("DELETE 11 unresolved nobody");
    const restored = created().review({
      operation: "DELETE",
      user: "denied",
      base: 10,
      restored: true,
    });
    expect(restored.see({ kind: "DELETED", version: 11, object: "a" }).commits.at(-1)).toBe(
      "DELETE 11 unresolved nobody",
    );
  });

  it.each([
    ["somebody was reviewed on what it left, before the blind time", 11, 0, "DELETE 11 delete dan"],
    ["nobody was", 10, 0, "DELETE 11 unresolved nobody"],
    ["the request was stale by then", 11, 2000, "DELETE 11 unresolved nobody"],
  ])("asked for before a blind time counts only if it happened before: %s", (_, base, freshSinceMs, verdict) => {
    const story = created()
      .witnessed(base, freshSinceMs)
      .review({ operation: "DELETE", user: "dan", base: 10, restored: true, atMs: 1000 })
      .see({ kind: "DELETED", version: 11, object: "a" });
    expect(story.commits.at(-1)).toBe(verdict);
  });

  it("ends the line of its uid, and a new incarnation starts afresh", () => {
    const story = created()
      .review({ operation: "UPDATE", user: "loser", base: 10, object: "l" })
      .review({ operation: "DELETE", user: "dan", base: 10 })
      .review({ operation: "CREATE", user: "bob", object: "n", uid: "second" })
      .see({ kind: "DELETED", version: 11, object: "a" })
      .see({ kind: "ADDED", version: 12, object: "n", uid: "second" });
    expect(story.commits.slice(1)).toEqual(["DELETE 11 delete dan", "CREATE 12 exact bob"]);
    expect(story.dropped).toContain("retired loser dan");
  });
});

describe("after a gap", () => {
  it("one writer who made the whole difference is recovered", () => {
    const story = created()
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b", oldObject: "a" })
      .list({ version: 15, object: "b" });
    expect(story.commits.at(-1)).toBe("UPDATE 15 recovered bob");
  });

  it("several writes are collapsed: nobody is the author, the known writers are named", () => {
    const story = created()
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b", oldObject: "a" })
      .review({ operation: "UPDATE", user: "cat", base: 11, object: "c", oldObject: "b" })
      .list({ version: 15, object: "d" });
    expect(story.commits.at(-1)).toBe("UPDATE 15 collapsed nobody of bob cat");
  });

  it("two who made the same bytes, on what was seen last and on what came between, are collapsed", () => {
    const story = created()
      .review({ operation: "UPDATE", user: "loser", base: 10, object: "b", oldObject: "a" })
      .review({ operation: "UPDATE", user: "winner", base: 12, object: "b", oldObject: "between" })
      .list({ version: 15, object: "b" });
    expect(story.commits.at(-1)).toBe("UPDATE 15 collapsed nobody of loser winner");
  });

  it("another uid is a deletion and a creation", () => {
    const story = created()
      .review({ operation: "DELETE", user: "dan", base: 10 })
      .review({ operation: "CREATE", user: "bob", object: "n", uid: "second" })
      .list({ version: 15, object: "n", uid: "second" });
    expect(story.commits.slice(1)).toEqual(["DELETE 15 collapsed nobody of dan", "CREATE 15 recovered bob"]);
  });

  it("the exact state at the cursor only sets the chain", () => {
    const story = new Story()
      .review({ operation: "UPDATE", user: "old", base: 9, object: "o" })
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "b", restored: true })
      .list({ version: 10, object: "a" }, true)
      .see({ kind: "MODIFIED", version: 11, object: "b" });
    expect(story.commits).toEqual(["UPDATE 11 exact bob"]);
    expect(story.dropped[0]).toBe("retired old");
  });

  it("a list older than what was seen changes nothing, except in a new epoch", () => {
    const story = created().list({ version: 9, object: "old" });
    expect(story.commits.length).toBe(1);
    expect(story.list({ version: 9, object: "old", epoch: 1 }).commits.at(-1)).toBe("UPDATE 9 unresolved nobody");
  });

  it("a restored backup is nobody's change, whoever asked for the same before it", () => {
    const story = created()
      .review({ operation: "UPDATE", user: "bob", base: 10, object: "old", oldObject: "a" })
      .review({ operation: "DELETE", user: "dan", base: 10 })
      .list({ version: 9, object: "old", epoch: 1 });
    expect(story.commits.at(-1)).toBe("UPDATE 9 unresolved nobody");
    const gone = created()
      .review({ operation: "DELETE", user: "dan", base: 10 })
      .list({ version: 8, object: "x", uid: "earlier", epoch: 1 });
    expect(gone.commits.slice(1)).toEqual(["DELETE 8 unresolved nobody", "CREATE 8 unresolved nobody"]);
  });

  it("what was gone before a restored backup lets nobody of the time after it go", () => {
    const story = created()
      .see({ kind: "DELETED", version: 12, object: "a" })
      .miss(8, 1)
      .review({ operation: "CREATE", user: "cal", object: "c", uid: "another" })
      .review({ operation: "UPDATE", user: "dan", object: "d", uid: "another", base: 9 })
      .see({ kind: "ADDED", version: 9, object: "c", uid: "another", epoch: 1 })
      .see({ kind: "MODIFIED", version: 10, object: "d", uid: "another", epoch: 1 });
    expect(story.commits.slice(2)).toEqual(["CREATE 9 exact cal", "UPDATE 10 exact dan"]);
  });
});
