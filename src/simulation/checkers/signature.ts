/** I3, of the lines that git shows: who a commit says made it is who its trailers say, and nobody can pass for somebody else. */

import type { Circumstances } from "./circumstances.ts";
import { fits } from "./candidates.ts";
import type { HistoryCommit } from "./git-reader.ts";
import type { ToldChange } from "./told-change.ts";
import { isNamed } from "./told-change.ts";

const ours = "kubescribe <kubescribe@kubescribe.invalid>";
const nobody = "unresolved <unresolved@kubescribe.invalid>";

/** Null: all is well. */
export function signatureFault(told: ToldChange, around: Circumstances): string | null {
  const { commit, author } = told;
  if (committerOf(commit) !== ours) return `committed by ${committerOf(commit)}`;
  if (!isNamed(told))
    return authorOf(commit) === nobody && author === "unresolved" ? null : `${told.tier}, and by ${authorOf(commit)}`;
  const expected = `${author} <${addressOf(author)}>`;
  if (authorOf(commit) !== expected) return `changed by ${author}, and by ${authorOf(commit)}`;
  return dateFault(told, around);
}

export function noteFault(commit: HistoryCommit): string | null {
  const strangers = [committerOf(commit), authorOf(commit)].filter((who) => who !== ours);
  return strangers.length === 0 ? null : `no change, and by ${strangers.join(", ")}`;
}

/** The author's date is that of his review. */
function dateFault({ commit, author, write }: ToldChange, { reviews }: Circumstances): string | null {
  if (write === null) return null;
  const his = reviews.onBase(write).filter((review) => review.user === author && fits(review, write));
  const right = his.some(({ wallMs }) => Math.floor(wallMs / 1000) === commit.authoredAt);
  return right || his.length === 0 ? null : `authored at ${commit.authoredAt}, when ${author} asked for nothing`;
}

/** Whoever has no address gets one that is his alone. */
function addressOf(user: string): string {
  if (/^[\w.+-]+@[\w.-]+$/.test(user)) return user;
  return `${encodeURIComponent(user)}@users.kubescribe.invalid`;
}

function authorOf({ authorName, authorEmail }: HistoryCommit): string {
  return `${authorName} <${authorEmail}>`;
}

function committerOf({ committerName, committerEmail }: HistoryCommit): string {
  return `${committerName} <${committerEmail}>`;
}
