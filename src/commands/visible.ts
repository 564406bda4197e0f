/** Text from a history on its way to a terminal: whoever has an account in the cluster may have chosen it. */

/** What a terminal might obey, or a reader not see, as `\u{...}`; line ends too. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A JSON document that says the same, and has no such character either. */
export function visibleJson(document: unknown): string {
  const text = JSON.stringify(document, null, 2);
  return `${text.replaceAll(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, unicodeEscapes)}\n`;
}

function unicodeEscapes(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
    .join("");
}
