/** An answer of `who` for a program. Times are ISO 8601 in UTC, paths of fields as `who` takes them. */

import { fieldPathText } from "../fields/field-path.ts";
import type { FileVersion } from "../git/clone/file-versions.ts";
import type { FieldSection, ListSection, ResourceTitle } from "./who-section.ts";
import { isoTime } from "./who-time.ts";
import { plainValue } from "./who-value.ts";
import { eventText, namedUser } from "./who-words.ts";

export function listJson({ title, changes, blind }: ListSection): unknown {
  return {
    ...titleJson(title, changes[0]?.version),
    changes: changes.map(({ version, fields }) => ({
      ...versionJson(version),
      fields: fields?.map(fieldPathText) ?? null,
    })),
    blind: blind.map(({ commit: { id, second, subject } }) => ({ commit: id, time: isoTime(second), subject })),
  };
}

export function fieldJson({ title, field, answer }: FieldSection): unknown {
  const secret = title.group === "" && title.resource === "secrets";
  const valueJson = (value: Parameters<typeof plainValue>[0]): unknown => (secret ? undefined : plainValue(value));
  return {
    ...titleJson(title, answer.newest),
    field: fieldPathText(field),
    set: answer.value !== undefined,
    value: valueJson(answer.value),
    end: answer.end,
    steps: answer.steps.map(({ version, fields }) => ({
      ...versionJson(version),
      fields: fields.map(({ path, before, after }) => ({
        field: fieldPathText([...field, ...path]),
        before: valueJson(before),
        after: valueJson(after),
      })),
    })),
  };
}

function titleJson(title: ResourceTitle, newest: FileVersion | undefined): Readonly<Record<string, unknown>> {
  const { cluster, group, resource, namespace, name } = title;
  return {
    cluster,
    group,
    resource,
    namespace,
    name,
    path: newest?.path ?? "",
    gone: newest?.after === null && !newest.cutOff,
  };
}

function versionJson(version: FileVersion): Readonly<Record<string, unknown>> {
  const { id, second, kind, tier, user: _user, cluster: _cluster, subject: _subject, ...rest } = version.commit;
  return {
    commit: id,
    time: isoTime(second),
    kind: kind === "" ? "change" : kind,
    by: namedUser(version.commit),
    attribution: tier,
    ...rest,
    event: eventText(version),
  };
}
