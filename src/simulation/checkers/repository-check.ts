/**
 * Holds the history of a repository against what really happened, commit by commit. Knows nothing of kubescribe but the contract: paths,
 * trailers, author lines, sanitized content.
 */

import type { SimulatedType } from "../../simulator/resource-types.ts";
import type { Circumstances } from "./circumstances.ts";
import { CoverageCheck, isCoverage } from "./coverage.ts";
import { durableChecker } from "./durable.ts";
import { faithfulChecker } from "./faithful.ts";
import type { Checker } from "./findings.ts";
import { Findings } from "./findings.ts";
import type { HistoryCommit } from "./git-reader.ts";
import { honestChecker } from "./honest.ts";
import { onceChecker } from "./once.ts";
import { orderedChecker } from "./ordered.ts";
import { realChecker } from "./real.ts";
import { noteFault } from "./signature.ts";
import { Snapshots } from "./snapshots.ts";
import type { CheckedTarget } from "./target-files.ts";
import { TargetFiles } from "./target-files.ts";
import { toldBy } from "./told-change.ts";

export class RepositoryCheck {
  readonly #branches: ReadonlyMap<string, BranchCheck>;
  readonly #prefixes: readonly string[];

  /** The targets that share its branch, by name. */
  constructor(targets: ReadonlyMap<string, CheckedTarget>, types: readonly SimulatedType[], around: Circumstances) {
    this.#branches = new Map(
      [...targets].map(([name, target]) => [name, new BranchCheck(new TargetFiles(target, types), around)] as const),
    );
    this.#prefixes = [...targets.values()].map(({ prefix }) => prefix);
  }

  /** The oldest first. */
  see(commit: HistoryCommit): void {
    // A blind time is of no file, and one commit tells all targets of a branch of it.
    if (isCoverage(commit)) return this.#branches.forEach((branch) => branch.seeCoverage(commit));
    const touched = [...this.#branches.values()].filter((_, index) =>
      commit.files.some(({ path }) => path.startsWith(this.#prefixes[index] ?? "")),
    );
    for (const branch of touched) branch.see(commit);
    const [first] = this.#branches.values();
    if (touched.length === 0) first?.findings.break(`I2: a commit that touches no file of ours: ${commit.subject}`);
  }

  end(): ReadonlyMap<string, Findings> {
    return new Map([...this.#branches].map(([name, branch]) => [name, branch.end()] as const));
  }
}

class BranchCheck {
  readonly findings = new Findings();
  readonly #files: TargetFiles;
  readonly #around: Circumstances;
  readonly #tree = new Map<string, string>();
  readonly #snapshots: Snapshots;
  readonly #checkers: readonly Checker[];
  readonly #coverage: CoverageCheck;

  constructor(files: TargetFiles, around: Circumstances) {
    const { findings } = this;
    const { truth } = around;
    this.#files = files;
    this.#around = around;
    this.#snapshots = new Snapshots({ findings, truth, files, watches: around.watches });
    this.#coverage = new CoverageCheck(findings, around);
    this.#checkers = [
      onceChecker(findings),
      realChecker(findings, around, files),
      honestChecker(findings, around, files),
      orderedChecker(findings, around),
      faithfulChecker({ findings, truth, files, tree: this.#tree }),
      durableChecker({ findings, around, files, snapshots: this.#snapshots }),
    ];
  }

  seeCoverage(commit: HistoryCommit): void {
    this.#coverage.see(commit);
    this.#fault(commit);
  }

  see(commit: HistoryCommit): void {
    this.#coverage.begun(commit);
    if (commit.trailers.has("Kubescribe-Kind")) this.#note(commit);
    else this.#change(commit);
    for (const { path, after } of commit.files) {
      if (after === "") this.#tree.delete(path);
      else this.#tree.set(path, after);
    }
  }

  end(): Findings {
    for (const { end } of this.#checkers) end?.();
    this.#coverage.end();
    return this.findings;
  }

  #note(commit: HistoryCommit): void {
    this.#snapshots.see(commit);
    this.#fault(commit);
  }

  #fault(commit: HistoryCommit): void {
    const fault = noteFault(commit);
    if (fault !== null) this.findings.break(`I3: ${fault}`);
  }

  #change(commit: HistoryCommit): void {
    const told = toldBy(commit, {
      truth: this.#around.truth,
      files: this.#files,
      eraOf: (typeKey, epoch) => this.#snapshots.eraOf(typeKey, epoch),
      wasRead: (write) => this.#around.watches.hasRead(write),
      tree: this.#tree,
    });
    const { object, uid, revision, epoch, write } = told;
    if (write !== null && this.#around.truth.find(uid, revision).length === 1)
      this.#snapshots.learn(object.typeKey, { epoch, era: write.era });
    this.findings.changes += 1;
    this.findings.tiers.set(told.tier, (this.findings.tiers.get(told.tier) ?? 0) + 1);
    for (const { see } of this.#checkers) see?.(told);
  }
}
