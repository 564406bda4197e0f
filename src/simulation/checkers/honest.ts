/**
 * I3: never a wrong author stated as certain; a tie names whoever made it; what could be attributed is; nobody is credited with
 * somebody else's lines.
 */

import { fits } from "./candidates.ts";
import type { Circumstances } from "./circumstances.ts";
import { excuseOf, isInGap, mayBeDoubted, mayBeEvicted } from "./excuses.ts";
import type { Checker, Findings } from "./findings.ts";
import type { TakenReview } from "./reviews.ts";
import { isResidue } from "./residue.ts";
import { signatureFault } from "./signature.ts";
import type { TargetFiles } from "./target-files.ts";
import { tieOrderFault } from "./tie-order.ts";
import type { ToldChange } from "./told-change.ts";
import { isNamed, isSettled } from "./told-change.ts";
import type { TrueWrite } from "./truth.ts";

export function honestChecker(findings: Findings, around: Circumstances, files: TargetFiles): Checker {
  const honesty = new Honesty(findings, around, files);
  return { see: (told) => honesty.see(told) };
}

class Honesty {
  readonly #findings: Findings;
  readonly #around: Circumstances;
  readonly #files: TargetFiles;

  constructor(findings: Findings, around: Circumstances, files: TargetFiles) {
    this.#findings = findings;
    this.#around = around;
    this.#files = files;
  }

  see(told: ToldChange): void {
    const { write, tier } = told;
    const fault = signatureFault(told, this.#around);
    if (fault !== null) this.#findings.break(`I3: ${fault}`, told);
    if (told.commit.trailers.has("Kubescribe-Faulted"))
      this.#findings.break("I3: faulted, and nothing made it fail", told);
    if (tier !== "tie" && tier !== "collapsed" && told.candidates.length > 0)
      this.#findings.break("I3: candidates, and no doubt", told);
    if (tier === "collapsed") this.#collapsed(told);
    if (write === null) return;
    if (isNamed(told)) this.#lines(told, write);
    if (isSettled(told)) this.#settled(told, write);
    else if (tier === "tie") this.#tied(told, write);
    else this.#unnamed(told, write);
  }

  #settled(told: ToldChange, write: TrueWrite): void {
    const { tier, author } = told;
    if (tier === "recovered" && !isInGap(told, write, this.#around))
      this.#findings.break("I3: recovered, and there was no gap", told);
    if (author === write.user) return;
    // Nobody was asked of those who changed it, and back to the author's very bytes: nothing is left to see of them.
    const remade = tier === "recovered" && !write.reviewed && this.#madeWhole(told, write);
    if (remade || isResidue(write, author, this.#around)) this.#findings.planted += 1;
    else this.#findings.break(`I3: ${tier} by ${author}, and it was ${write.user}`, told);
  }

  #tied(told: ToldChange, write: TrueWrite): void {
    const { candidates, author } = told;
    if (candidates[0] !== author) this.#findings.break("I3: a tie whose author is not its first candidate", told);
    if (candidates.length < 2 && !this.#mayBeMarked(write))
      this.#findings.break("I3: a tie of one, and nobody was forgotten", told);
    const disorder = tieOrderFault(told, write, this.#around);
    if (disorder !== null) this.#findings.break(`I3: ${disorder}`, told);
    const strangers = candidates.filter((user) => user !== write.user && !this.#asked(user, write));
    if (strangers.length > 0) this.#findings.break(`I3: ${strangers.join(", ")} did not ask for this`, told);
    if (candidates.includes(write.user)) return;
    const excuse = write.reviewed ? excuseOf(told, write, this.#around) : null;
    if (excuse !== null) this.#findings.excuse(`tie, ${excuse}`);
    else if (candidates.every((user) => isResidue(write, user, this.#around))) this.#findings.planted += 1;
    else this.#findings.break(`I3: a tie without ${write.user}, who did it`, told);
  }

  #unnamed(told: ToldChange, write: TrueWrite): void {
    const { tier } = told;
    const inGap = isInGap(told, write, this.#around);
    if (tier === "collapsed" && !inGap) this.#findings.break("I3: collapsed, and there was no gap", told);
    if (!write.reviewed) return;
    const excuse = excuseOf(told, write, this.#around);
    if (excuse === null)
      this.#findings.break(`${this.#survived(write) ? "I7" : "I3"}: ${tier}, and ${write.user} was answered`, told);
    else this.#findings.excuse(`${tier}, ${excuse}`);
  }

  /** Who asked, before a backup was restored, for a change of what that undid has no part in what is different since. */
  #collapsed(told: ToldChange): void {
    const { candidates, uid, era } = told;
    const { reviews, truth } = this.#around;
    const restore = truth.restores[era - 1];
    // A version that was given once more is the same to whoever was not there.
    const counts = ({ atMs, base }: TakenReview): boolean =>
      restore === undefined ||
      atMs >= restore.atMs ||
      base <= restore.revision ||
      truth.find(uid, base).some((each) => each.era >= restore.era);
    const asked = new Set(reviews.ofUid(uid).flatMap((review) => (counts(review) ? [review.user] : [])));
    const strangers = candidates.filter((user) => !asked.has(user));
    if (strangers.length > 0) this.#findings.break(`I3: ${strangers.join(", ")} never asked`, told);
  }

  /** A process ended between the review and the event. */
  #survived(write: TrueWrite): boolean {
    const readMs = this.#around.watches.deliveryOf(write)?.last.atMs ?? Number.POSITIVE_INFINITY;
    return this.#around.reviews.blind(write.atMs, readMs);
  }

  /** What stood there before is what the write began with. */
  #lines(told: ToldChange, write: TrueWrite): void {
    const { file, tier } = told;
    if (file.before === this.#files.before(write)) return;
    const inGap = isInGap(told, write, this.#around);
    // Who removed an object removed what others had made of it, too.
    if ((tier === "delete" || tier === "tie") && write.operation === "DELETE" && inGap) return;
    if (tier === "recovered" && inGap && this.#madeWhole(told, write)) return;
    this.#findings.break(`I3: somebody else's lines are in it, at ${file.path}`, told);
  }

  /** The author asked for just this, of what stands there: others' lines may have come and gone in between. */
  #madeWhole({ author, file }: ToldChange, write: TrueWrite): boolean {
    const { reviews, truth } = this.#around;
    const asked = (base: number): boolean =>
      reviews
        .onBase({ uid: write.uid, base })
        .some((review) => review.user === author && review.content === write.content);
    if (file.before === "") return asked(0);
    const bases = truth
      .ofObject(write)
      .filter((each) => each.uid === write.uid && this.#files.after(each) === file.before);
    return bases.some(({ revision }) => asked(revision));
  }

  #asked(user: string, write: TrueWrite): boolean {
    return this.#around.reviews.onBase(write).some((review) => review.user === user && fits(review, write));
  }

  /** A bound may have evicted one that would have fitted as well, or a full disk kept him from the journal. */
  #mayBeMarked(write: TrueWrite): boolean {
    const { reviews, watches } = this.#around;
    const deliveredMs = watches.deliveryOf(write)?.last.atMs ?? Number.POSITIVE_INFINITY;
    const object = `${write.typeKey} ${write.namespace}/${write.name}`;
    return reviews
      .ofObject(object)
      .some(
        (review) =>
          review.base >= write.base &&
          review.atMs <= deliveredMs &&
          (mayBeEvicted(review, deliveredMs, this.#around) || mayBeDoubted(review, deliveredMs, this.#around)),
      );
  }
}
