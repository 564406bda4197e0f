/** A list of changes, beside what it says: test/commands/who.test.ts. */

import { expect, test } from "vitest";
import { listChanges } from "../../src/commands/who-list.ts";
import type { FileVersion } from "../../src/git/clone/file-versions.ts";
import type { RecordedCommit } from "../../src/git/clone/recorded-commit.ts";

async function* versions(count: number): AsyncGenerator<FileVersion> {
  for (let at = count; at > 0; at--) {
    const content = (version: number): FileVersion["after"] => ({ id: `${version}`, text: `kind: n${version}\n` });
    const place = { at, prefix: "", path: "", cutOff: false, commit: { id: `${at}` } as RecordedCommit };
    yield { ...place, before: content(at - 1), after: content(at) };
  }
}

test("holds no contents: of all changes of a large object there may be gigabytes", async () => {
  const { lists } = await listChanges({ versions: versions(3), entries: [], limit: 0, path: null });
  const [list] = lists;
  expect(list?.changes.map(({ fields }) => fields)).toEqual([[["kind"]], [["kind"]], [["kind"]]]);
  expect(JSON.stringify(list)).not.toContain("kind: ");
});
