/** Who a commit says made it: users are names that anybody with an account may have chosen. */

import { hash } from "node:crypto";
import type { Actor } from "../../machines/messages.ts";
import type { Person, TargetOptions } from "./target.ts";
import { lineOf } from "./text.ts";

/** The claims first, then the user; an address that is none, or that is one of ours, becomes one at the mapping's domain. */
export function authorOf(actor: Actor, target: Pick<TargetOptions, "author" | "committer" | "sentinel">): Person {
  const { author, committer, sentinel } = target;
  const name = claimOf(actor, author.nameClaim) ?? (actor.user === "" ? "unknown" : actor.user);
  const claimed = claimOf(actor, author.emailClaim);
  const ours = [committer.email.toLowerCase(), sentinel.email.toLowerCase()];
  // At the mapping's domain stand the addresses that are made up here: nobody may bring one along.
  const isOurs = (address: string): boolean =>
    ours.includes(address.toLowerCase()) || address.toLowerCase().endsWith(`@${author.domain.toLowerCase()}`);
  for (const address of [claimed, actor.user]) {
    if (address !== null && isAddress(address) && !isOurs(address)) return { name: lineOf(name), email: address };
  }
  return { name: lineOf(name), email: `${localPartOf(actor.user)}@${author.domain}` };
}

function claimOf(actor: Actor, key: string | null): string | null {
  if (key === null || !Object.hasOwn(actor.claims, key)) return null;
  const claim = actor.claims[key] ?? "";
  return claim === "" ? null : claim;
}

function isAddress(text: string): boolean {
  return text.length <= 254 && /^[A-Za-z0-9.!#$&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text);
}

const localPartLimit = 400;

/** Percent-encoded, so that two users never share an address. */
function localPartOf(user: string): string {
  if (user === "") return "unknown";
  const cut = user.length > localPartLimit || !user.isWellFormed();
  const kept = cut ? user.slice(0, 100).toWellFormed() : user;
  const escaped = Buffer.from(kept, "utf8")
    .toString("latin1")
    .replaceAll(/[^A-Za-z0-9._-]/g, (character) => {
      return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
    });
  return cut ? `${escaped}%_${hash("sha256", Buffer.from(user, "utf16le"), "hex")}` : escaped;
}
