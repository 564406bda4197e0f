/** Untrusted text, made fit for one line of a commit: visible, bounded, and not able to pass for anything else. */

/** UTF-16 units; the longest name of a service account has some 340. */
const lineLimit = 1024;

/**
 * Writes every character that is invisible, breaks a line, changes the direction of text or delimits an e-mail address as
 * `\u{...}`, and spaces at either end too, so that nobody looks like somebody else; cuts what is too long, and says so.
 */
export function lineOf(text: string): string {
  const escaped = text
    .slice(0, lineLimit)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}<>]|(?! )\p{Zs}|^ +| +$/gu, (found) =>
      [...found].map((character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`).join(""),
    );
  return text.length <= lineLimit ? escaped : `${escaped}...[${text.length - lineLimit} more]`;
}
