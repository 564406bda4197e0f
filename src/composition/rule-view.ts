/**
 * What the rules mean on this cluster, now: which types are watched, in which version, and what each target wants of them.
 * Owns the last answer; it changes when the cluster serves other types.
 *
 * 1. A target's selections are the very same list until they change: workers are sent them only then.
 * 2. Selections never go while the process runs: what was seen of a type before it vanished is still to be committed.
 * 3. A type whose group's server is silent stays as it was.
 */
import type { TypeSelection } from "../../actors/watch-manager.ts";
import type { Log } from "../../actors/ports.ts";
import type { ResourceType, TypeKey } from "../../machines/messages.ts";
import type { Selection } from "../../machines/selection.ts";
import { compileRules } from "../config/compile-rules.ts";
import type { CompiledTarget } from "../config/compile-rules.ts";
import { type RuleDocument, titleOf } from "../config/documents.ts";
import { matchTypes } from "../config/match-types.ts";
import { problemLine } from "../config/problem.ts";
import type { Discovery } from "../kubernetes/discovery.ts";
import { ServedTypes } from "./served-types.ts";

export interface RuleViewOptions {
  readonly documents: readonly RuleDocument[];
  readonly discovery: Pick<Discovery, "read">;
  readonly log: Log;
}

export class RuleView {
  readonly #options: RuleViewOptions;
  readonly #served = new ServedTypes();
  #targets: readonly CompiledTarget[] = [];
  readonly #types = new Map<TypeKey, ResourceType>();
  readonly #selections = new Map<string, readonly Selection[]>();
  readonly #wanted = new Map<string, ReadonlySet<TypeKey>>();
  readonly #warned = new Set<string>();

  constructor(options: RuleViewOptions) {
    this.#options = options;
  }

  /** Asks the cluster; throws `discovery-failed`. */
  async refresh(signal: AbortSignal): Promise<TypeSelection> {
    const { documents, discovery, log } = this.#options;
    const served = await discovery.read(signal);
    const compiled = compileRules(documents, this.#served.read(served));
    for (const warning of compiled.warnings.map(problemLine)) {
      if (this.#warned.has(warning)) continue;
      this.#warned.add(warning);
      log.warn(warning);
    }
    for (const [key, { group }] of this.#types) if (!served.uncertain(group)) this.#types.delete(key);
    for (const type of compiled.watchedTypes) this.#types.set(type.key, type);
    for (const { id, selections } of compiled.targets) this.#select(id, selections);
    this.#targets = compiled.targets;
    return { types: compiled.watchedTypes, uncertain: (group) => served.uncertain(group) };
  }

  get targets(): readonly CompiledTarget[] {
    return this.#targets;
  }

  get typeKeys(): readonly TypeKey[] {
    return [...this.#types.keys()];
  }

  typeOf(typeKey: TypeKey): ResourceType | undefined {
    return this.#types.get(typeKey);
  }

  selectionsOf(targetId: string): readonly Selection[] {
    return this.#selections.get(targetId) ?? [];
  }

  wants(targetId: string, typeKey: TypeKey): boolean {
    return this.#wanted.get(targetId)?.has(typeKey) ?? false;
  }

  /** Whether this very document, by its title, is a reason to watch the type: of a GitRepoConfig, any rule that writes to it. */
  wantsOf(targetId: string, typeKey: TypeKey, title: string): boolean {
    if (!this.wants(targetId, typeKey)) return false;
    const document = this.#options.documents.find((each) => titleOf(each) === title);
    if (document === undefined || document.kind === "GitRepoConfig") return true;
    const type = this.#types.get(typeKey);
    if (type === undefined) return false;
    return document.rules.some((rule) => matchTypes({ document, rule, served: [type] }).types.length > 0);
  }

  #select(targetId: string, selections: readonly Selection[]): void {
    const known = this.selectionsOf(targetId);
    const found = new Set(selections.map(({ typeKey }) => typeKey));
    const next = [...selections, ...known.filter(({ typeKey }) => !found.has(typeKey))];
    // In any order they mean the same.
    if (this.#selections.has(targetId) && textOf(next) === textOf(known)) return;
    this.#selections.set(targetId, next);
    this.#wanted.set(targetId, new Set(next.map(({ typeKey }) => typeKey)));
  }
}

function textOf(selections: readonly Selection[]): string {
  return selections
    .map((selection) => JSON.stringify(selection))
    .toSorted()
    .join("\n");
}
