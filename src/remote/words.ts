/** What a remote says, made fit for a log: one line, bounded, and with none of our secrets in it. */

/** Bytes of a remote's messages that are kept; it may send as many as it likes. */
const keptBytes = 8 << 10;
const shownCharacters = 500;

/** `secrets` are cut out wherever they stand: a server may say back what it was sent. */
export function wordsOf(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret !== "") clean = clean.replaceAll(secret, "***");
  // Control characters, line separators, and what turns the direction of text around or is not seen at all.
  clean = clean.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\s]+/gu, " ").trim();
  return clean.length > shownCharacters ? `${clean.slice(0, shownCharacters).toWellFormed()}...` : clean;
}

/** Collects messages as they come in pieces. */
export class WordsBuffer {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  add(chunk: Uint8Array): void {
    const room = keptBytes - this.#bytes;
    if (room <= 0) return;
    const kept = Buffer.from(chunk.subarray(0, room));
    this.#chunks.push(kept);
    this.#bytes += kept.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
