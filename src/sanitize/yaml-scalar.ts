/**
 * How one string is written, so that readers of YAML 1.1 and of YAML 1.2 read the same string. Four styles, tried in this order:
 *
 * - plain, where the string can be nothing else in any reader we know: ASCII, no indicator in front, no word or number;
 * - a literal block, for several lines that it keeps exactly;
 * - single quotes, where that saves escapes of `"` and `\`;
 * - double quotes, with escapes for what a reader may take for a line break, drop or refuse.
 */

/**
 * A plain first character is none of YAML's indicators. Inside, `: ` and ` #` would end the scalar. `e5` and `-e5` are numbers to a
 * reader that takes no digit before the exponent for some.
 */
const plainWord =
  /^(?!-?[eE][-+]?\d+$)(?:[A-Za-z_/$(]|\.(?![eE][-+\d])[A-Za-z/]|--?[A-Za-z])(?:[!-9;-~]|:(?! |$)| (?![ #]|$))*$/;
/** Quantities, durations and percentages begin with digits, but no reader takes them for numbers (`1e3`, `1_000`, `0x1f`, `1:30` it might). */
const plainQuantity = /^\d+(?:\.\d+)?(?:[munk]|[KMGTPE]i|[MGTP]|[smhd]|ms|%)$/;
/** Words that some reader takes for a boolean, null or a float (YAML 1.1 type repository; Go, Ruby and Python readers). */
const reservedWord = /^[-+.]?(?:y|n|yes|no|on|off|true|false|null|nan|inf|infinity)$/i;
const longestReservedWord = 10;

/** C0 but tab and line feed, DEL, C1 with NEL, U+2028, U+2029, BOM, noncharacters of the BMP. */
// oxlint-disable-next-line no-control-regex -- these are what it is about
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const toEscape = new RegExp(`["\\\\\\t\\n]|${unprintable.source}|${loneSurrogate.source}`, "g");
/** Nothing in front that a reader needs an indentation indicator for; no last line that consists of blanks. */
const literalFrame = /^(?=\S)[^]*[^ \t\n]\n*$/;

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
  "\0": "\\0",
  "\b": "\\b",
  "\f": "\\f",
};

/** On one line: the key of a block map. */
export function keyString(text: string): string {
  return isPlain(text) ? text : quoted(text);
}

/** As the value of a key or an item of a list whose own indentation is `indent`. */
export function blockString(text: string, indent: string): string {
  if (isPlain(text)) return text;
  return text.includes("\n") && literalFrame.test(text) && isPrintable(text) ? literal(text, indent) : quoted(text);
}

function quoted(text: string): string {
  if (/["\\]/.test(text) && !/[\t\n]/.test(text) && isPrintable(text)) return `'${text.replaceAll("'", "''")}'`;
  return doubleQuoted(text);
}

export function doubleQuoted(text: string): string {
  return `"${text.replace(toEscape, escape)}"`;
}

function isPlain(text: string): boolean {
  return plainWord.test(text)
    ? text.length > longestReservedWord || !reservedWord.test(text)
    : plainQuantity.test(text);
}

function isPrintable(text: string): boolean {
  return !unprintable.test(text) && text.isWellFormed();
}

function literal(text: string, indent: string): string {
  const body = text.endsWith("\n") ? text.slice(0, -1) : text;
  const chomping = body === text ? "-" : body.endsWith("\n") ? "+" : "";
  return `|${chomping}\n${body.replace(/^(?=.)/gm, `${indent}  `)}`;
}

function escape(character: string): string {
  return shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`;
}
