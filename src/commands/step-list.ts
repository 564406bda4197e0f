/** Numbers of steps as a person writes them: `3,17,20-24`. */

/** Null where it is no such list. */
export function parseSteps(text: string): readonly number[] | null {
  const steps: number[] = [];
  for (const part of text.split(",")) {
    const [, from = "", to = from] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? [];
    if (from === "" || Number(to) < Number(from)) return null;
    for (let step = Number(from); step <= Number(to); step += 1) steps.push(step);
  }
  return steps;
}

/** `steps` rise. */
export function stepsText(steps: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < steps.length;) {
    let end = at;
    while (steps[end + 1] === (steps[end] ?? 0) + 1) end += 1;
    parts.push(end === at ? `${steps[at] ?? 0}` : `${steps[at] ?? 0}-${steps[end] ?? 0}`);
    at = end + 1;
  }
  return parts.join(",");
}
