/** What the demo needs of a terminal, and how it paints: colours and a progress line only where there is one. */

export interface Output {
  write(text: string): void;
  /** A person watches: a progress line may be rewritten in place. */
  readonly terminal: boolean;
  /** Never without a terminal, and not where NO_COLOR is set. */
  readonly colour: boolean;
  readonly columns: number;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
export type Paint = (style: Style, text: string) => string;

const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

export function painterOf(output: Pick<Output, "colour">): Paint {
  return (style, text) => (output.colour && text !== "" ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text);
}

/** Cuts to so many characters, with an ellipsis. */
export function fit(text: string, width: number): string {
  const characters = charactersOf(text);
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - charactersOf(text).length));
}

/** As a reader sees them. */
export function charactersOf(text: string): readonly string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

/** One line that is rewritten in place on a terminal; without one, only finished lines are written. */
export class ProgressLine {
  readonly #output: Output;
  #shown = false;

  constructor(output: Output) {
    this.#output = output;
  }

  update(text: string): void {
    if (!this.#output.terminal) return;
    this.#output.write(`\r\u001b[2K${fit(text, this.#output.columns - 1)}`);
    this.#shown = true;
  }

  /** Puts a lasting line in the place of the progress. */
  finish(line: string): void {
    this.clear();
    this.#output.write(`${line}\n`);
  }

  clear(): void {
    if (this.#shown) this.#output.write("\r\u001b[2K");
    this.#shown = false;
  }
}
