/** An answer of `who` for a reader: text in, text out. All that comes from the history is made visible here. */

import type { FieldPath } from "../fields/field-path.ts";
import { fieldPathText } from "../fields/field-path.ts";
import type { ChangedField } from "../fields/changed-fields.ts";
import type { FileVersion } from "../git/clone/file-versions.ts";
import type { RecordedCommit } from "../git/clone/recorded-commit.ts";
import { charactersOf, pad, type Paint } from "./demo-terminal.ts";
import type { FieldAnswer, SearchEnd } from "./field-search.ts";
import { typeText } from "./resource-words.ts";
import { visible } from "./visible.ts";
import type { BlindTime, FieldSection, ListSection, ResourceTitle } from "./who-section.ts";
import type { ListedChange } from "./who-list.ts";
import { valueText } from "./who-value.ts";
import { eventText, isSettled, personText, verdictText } from "./who-words.ts";

export interface View {
  readonly paint: Paint;
  /** Seconds since 1970. */
  readonly timeText: (second: number) => string;
}

const shortId = 10;
const shownFields = 4;
/** Longer ones push aside what follows. */
const widestPerson = 44;
const indent = " ".repeat(shortId + 2);

export function listText(section: ListSection, view: View): string {
  const { title, changes, blind } = section;
  const versions = changes.map(({ version }) => version);
  const rowView = rowViewOf(view, versions);
  const rows: string[] = [];
  const boundaries = new Boundaries(view);
  let newerAt = Number.POSITIVE_INFINITY;
  for (const change of changes) {
    const { version } = change;
    const between = blind.filter(({ at }) => at > version.at && at < newerAt);
    rows.push(...blindRows(between, view));
    newerAt = version.at;
    if (version.commit.kind === "") rows.push(...boundaries.before(version.commit));
    rows.push(headRow(version, rowView), `${indent}${changeText(change)}\n`);
  }
  const newest = changes[0]?.version;
  const gone = newest?.after === null && !newest.cutOff ? view.paint("red", " (gone)") : "";
  return `${titleText(title, view)}${gone}\n${placeText(newest, title, view)}\n${rows.join("")}`;
}

export function fieldText(section: FieldSection, view: View): string {
  const { title, field, answer } = section;
  const secret = title.group === "" && title.resource === "secrets";
  const value = secret && answer.value !== undefined ? "(of a Secret: not shown)" : valueText(answer.value);
  const gone = answer.newest.after === null && !answer.newest.cutOff;
  const head = `${titleText(title, view)} ${visible(fieldPathText(field))}: ${view.paint("bold", value)}`;
  const rows = [`${head}${gone ? " (before it went)" : ""}\n`, placeText(answer.newest, title, view), "\n"];
  const rowView = rowViewOf(view, [answer.newest, ...answer.steps.map(({ version }) => version)]);
  if (gone) rows.push(headRow(answer.newest, rowView), `${indent}${visible(eventText(answer.newest) ?? "")}\n`);
  for (const { version, fields } of answer.steps) {
    const event = eventText(version);
    rows.push(headRow(version, rowView));
    if (event !== null) rows.push(`${indent}${visible(event)}\n`);
    // What the first commit of a file brings may be older than that.
    if (version.before === null && answer.end !== "found") continue;
    for (const line of fieldLines(fields, { field, secret })) rows.push(`${indent}${line}\n`);
  }
  const closing = endText(answer);
  return `${rows.join("")}${closing === "" ? "" : `${closing}\n`}`;
}

function titleText({ group, resource, namespace, name }: ResourceTitle, { paint }: View): string {
  const where = namespace === "" ? name : `${namespace}/${name}`;
  return paint("bold", visible(`${typeText({ group, resource })} ${where}`));
}

function placeText(newest: FileVersion | undefined, { cluster }: ResourceTitle, { paint }: View): string {
  const place = newest === undefined || newest.path === "" ? "" : `${newest.path}, `;
  return `${paint("dim", visible(`${place}cluster ${cluster === "" ? "not named" : cluster}`))}\n`;
}

interface RowView extends View {
  readonly personColumns: number;
}

function rowViewOf(view: View, versions: readonly FileVersion[]): RowView {
  const lengths = versions.map(({ commit }) => charactersOf(visible(personText(commit))).length);
  return { ...view, personColumns: Math.min(widestPerson, Math.max(...lengths)) };
}

function headRow(version: FileVersion, { paint, timeText, personColumns }: RowView): string {
  const { commit } = version;
  const person = visible(personText(commit));
  const verdict = [verdictText(commit), ...detailsOf(commit)].map(visible).join(", ");
  const columns = [
    paint("yellow", commit.id.slice(0, shortId)),
    timeText(commit.second),
    paint(isSettled(commit) ? "cyan" : "red", pad(person, personColumns)),
    paint("dim", verdict),
  ];
  return `${columns.join("  ")}\n`;
}

function detailsOf({ causedBy, faulted }: RecordedCommit): readonly string[] {
  return [
    ...(causedBy === "" ? [] : [`on the request of ${causedBy}`]),
    ...(faulted ? ["committed as it stood: it could not be read"] : []),
  ];
}

function changeText({ version, fields }: ListedChange): string {
  const event = eventText(version);
  if (event !== null) return visible(event);
  if (fields === null)
    return "which fields changed cannot be told: the contents are not in this clone, or cannot be read";
  if (fields.length === 0) return "no field changed: only how the file is written";
  const shown = fields.slice(0, fields.length > shownFields + 1 ? shownFields : shownFields + 1);
  const more = fields.length > shown.length ? ` and ${fields.length - shown.length} more` : "";
  return `${shown.map((path) => visible(fieldPathText(path))).join(", ")}${more}`;
}

/** Between a change and an older one: another object of the name, or a cluster that was set back. */
class Boundaries {
  readonly #paint: Paint;
  #uid = "";
  #epoch: number | null = null;

  constructor({ paint }: View) {
    this.#paint = paint;
  }

  /** The rows before the older change; nobody knows the uid of what was found gone. */
  before({ uid, epoch }: RecordedCommit): readonly string[] {
    const rows: string[] = [];
    if (this.#epoch !== null && epoch !== this.#epoch) rows.push("before the cluster was restored from a backup");
    if (this.#uid !== "" && uid !== "unknown" && uid !== this.#uid) {
      rows.push(`an earlier object of this name (uid ${uid})`);
    }
    this.#epoch = epoch;
    if (uid !== "unknown") this.#uid = uid;
    return rows.map((row) => `${this.#paint("dim", `${"-".repeat(shortId)}  ${visible(row)}`)}\n`);
  }
}

const shownBlindTimes = 3;

/** Those between two changes. */
function blindRows(times: readonly BlindTime[], { paint, timeText }: View): readonly string[] {
  const rows = times.slice(0, shownBlindTimes).map(({ commit: { id, second, subject } }) => {
    return [id.slice(0, shortId), timeText(second), `authors were not seen: ${subject}`].join("  ");
  });
  if (times.length > rows.length) rows.push(`${indent}and ${times.length - rows.length} more such times`);
  return rows.map((row) => `${paint("dim", visible(row))}\n`);
}

/** What changed at the field itself, and below it. */
function fieldLines(
  fields: readonly ChangedField[],
  { field, secret }: { readonly field: FieldPath; readonly secret: boolean },
): readonly string[] {
  const lines = fields.slice(0, shownFields + 1).map(({ path, before, after }) => {
    const where = path.length === 0 ? "" : `${visible(fieldPathText([...field, ...path]))}: `;
    return secret
      ? `${where}changed (values of a Secret are not shown)`
      : `${where}${valueText(before)} -> ${valueText(after)}`;
  });
  return fields.length > lines.length ? [...lines, `and ${fields.length - lines.length} more`] : lines;
}

function endText({ end, steps, value, nearby }: FieldAnswer): string {
  if (steps.length === 0 && value === undefined && (end === "never" || end === "beginning")) {
    return `There is no such field, and no change that is recorded here had it${nearbyText(nearby)}.`;
  }
  const begun = steps.at(-1)?.version.before === null;
  const reasons: Readonly<Record<SearchEnd, string>> = {
    found: "",
    never: "Nobody is named for it: it changed while kubescribe did not look.",
    beginning: begun
      ? "Who set it is not known: the history of the object begins there."
      : "Who set it is not known: no change that is recorded here touched it.",
    "cut-off": "This clone is shallow, and does not reach back to who set it: git fetch --unshallow brings the rest.",
    unreadable:
      "Who set it is not known: an older content is not in this clone (git fetch --refetch --no-filter brings all), or cannot be read.",
  };
  return reasons[end];
}

const shownKeys = 20;

function nearbyText({ path, keys }: FieldAnswer["nearby"]): string {
  if (keys.length === 0) return "";
  const more = keys.length > shownKeys ? " and more" : "";
  return `; ${visible(fieldPathText(path))} has ${keys.slice(0, shownKeys).map(visible).join(", ")}${more}`;
}
