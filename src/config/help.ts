import type { OptionDefinition } from "./option-table.ts";

const widthColumns = 100;

/** The options of a command by group, aligned, with their defaults. */
export function optionHelp(table: readonly OptionDefinition[]): string {
  const groups = [...new Set(table.map(({ group }) => group))];
  return groups
    .map(
      (group) =>
        `${group}:\n${table
          .filter((option) => option.group === group)
          .map(optionLine)
          .join("\n")}`,
    )
    .join("\n\n");
}

function optionLine(option: OptionDefinition): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  const usage = `  ${short}--${option.name}${option.value === null ? "" : ` ${option.value}`}`;
  const required = option.kind.kind === "path" && option.kind.required;
  const note = required ? " (required)" : option.fallback === null ? "" : ` (default ${option.fallback})`;
  const indent = 34;
  const text = wrapped(`${option.help}${note}`, widthColumns - indent).join(`\n${" ".repeat(indent)}`);
  return usage.length < indent - 1 ? `${usage.padEnd(indent)}${text}` : `${usage}\n${" ".repeat(indent)}${text}`;
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
