/** One part of an answer: of one resource of one cluster, as one target recorded it. */

import type { FieldPath } from "../fields/field-path.ts";
import type { RecordedCommit } from "../git/clone/recorded-commit.ts";
import type { NamedResource } from "../git/clone/record-key.ts";
import type { FieldAnswer } from "./field-search.ts";
import type { ListedChange } from "./who-list.ts";

export interface ResourceTitle extends NamedResource {
  readonly cluster: string;
}

export interface ListSection {
  readonly title: ResourceTitle;
  /** The newest first. */
  readonly changes: readonly ListedChange[];
  /** Between them: times in which kubescribe saw no authors. */
  readonly blind: readonly BlindTime[];
}

export interface BlindTime {
  readonly at: number;
  readonly commit: RecordedCommit;
}

export interface FieldSection {
  readonly title: ResourceTitle;
  readonly field: FieldPath;
  readonly answer: FieldAnswer;
}
