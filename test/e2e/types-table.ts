/** docs/TYPES.md, from what the test saw. */

import { type Exception, exceptionOf, exceptions, type Outcome } from "./types-expected.ts";
import { type Attempt, operations } from "./types-operations.ts";

export interface Seen {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
}

const head = `# Every built-in type, and how its changes are attributed

Written by \`test/e2e/types.test.ts\` from what it saw on kube-apiserver 1.36, with every alpha and beta API and feature and the
controllers on: each type that can be watched was written in each version that is served, each step by another user, while only its preferred
version was watched and named in the webhook's rules. Not one commit named the wrong user.

| column | what was done |
|---|---|
| create | POST of a minimal object |
| put | GET, then PUT of the whole object with one annotation changed |
| replace | PUT of the minimal object with a resourceVersion, as \`kubectl replace\` does |
| patch | merge patch of an annotation |
| apply | server-side apply, forced, by another field manager |
| status | merge patch of an annotation through \`/status\`; \`-\`: there is none, or it leaves annotations alone (no commit) |
| scale | merge patch of \`/scale\` |
| delete | DELETE |

\`exact\`: settled by bytes; \`scale\`, \`delete\`: by their own rules; \`content\`: by equal content; \`unresolved\`: nobody is named;
\`refused\`: the API server did not take the write. A number points at the reason below. Where a type has several lines in one
version, the later ones are objects with something special about them, by their names.
`;

const foot = `
## Side doors

Also held by the test: \`/ephemeralcontainers\`, \`/binding\` and \`/token\` change nothing that a file holds, and the chain goes on; \`/resize\` is
its author's; a Pod that was evicted is deleted by nobody (K18), and so are Endpoints that go with their Service (K39), whatever
the endpoint controller asked for meanwhile; the objects of a deletecollection each by whoever asked; a Namespace by whoever
deleted it, not by what finalized it.

## Events

\`events\` of the core group and of \`events.k8s.io\` are one store, shown twice. The API server asks a webhook once, about the one that was
written through if a rule of the webhook names it. So a kubescribe rule that names both watches the core ones, and the webhook must not name
the other: then a write through either is attributed, as the line above shows.
`;

export function typesDocument(seen: readonly Seen[]): string {
  return `${head}\n${table(seen)}\n\n${counts(seen)}\n\n## Reasons\n\n${reasons()}\n${foot}`;
}

/** `exact` and such, by column. */
function counts(seen: readonly Seen[]): string {
  const outcomes = [...new Set(seen.map(({ outcome }) => outcome))].toSorted();
  const rows = outcomes.map((outcome) => {
    const found = seen.filter((one) => one.outcome === outcome);
    const cells = operations.map((operation) => found.filter(({ attempt }) => attempt.operation === operation).length);
    return `| ${[outcome === "unchanged" ? "no commit" : outcome, ...cells, found.length].join(" | ")} |`;
  });
  const types = new Set(seen.map(({ attempt }) => attempt.subject.type)).size;
  const versions = new Set(seen.map(({ attempt }) => `${attempt.subject.type} ${attempt.subject.apiVersion}`)).size;
  const title = `${types} types in ${versions} versions, ${rowsOf(seen).size} objects, ${seen.length} operations:`;
  return [title, "", header(["", ...operations, "sum"]), ...rows].join("\n");
}

function table(seen: readonly Seen[]): string {
  const rows = [...rowsOf(seen).values()].map((row) => {
    const subject = row[0]?.attempt.subject;
    if (subject === undefined) return "";
    const { type, special, apiVersion, watched } = subject;
    const title = special === "" ? type : `${type}: ${special}`;
    const cells = operations.map((operation) => cell(row.find(({ attempt }) => attempt.operation === operation)));
    const written = apiVersion === watched ? "" : versionOf(apiVersion);
    return `| ${[title, versionOf(watched), written, ...cells].join(" | ")} |`;
  });
  return [header(["type", "watched", "written in, where another", ...operations]), ...rows].join("\n");
}

function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf("/") + 1);
}

function rowsOf(seen: readonly Seen[]): ReadonlyMap<string, readonly Seen[]> {
  return Map.groupBy(seen, ({ attempt: { subject } }) =>
    [subject.type, subject.apiVersion, subject.manifest.metadata.name].join(" "),
  );
}

function header(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n|${"---|".repeat(cells.length)}`;
}

function cell(seen: Seen | undefined): string {
  if (seen === undefined || seen.outcome === "unchanged") return "-";
  const exception = exceptionOf(seen.attempt);
  return exception === undefined ? seen.outcome : `${seen.outcome} (${numberOf(exception)})`;
}

function numberOf(exception: Exception): number {
  return exceptions.indexOf(exception) + 1;
}

function reasons(): string {
  return exceptions.map((exception) => `${numberOf(exception)}. ${exception.why}`).join("\n");
}
