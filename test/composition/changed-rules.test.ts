/** Processes with other rules than their predecessors': no commit of theirs reads as what somebody did. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { ALICE, BOB } from "../../src/commands/demo-people.ts";
import { PlayedHouse } from "./played-house.ts";

const collection = "/api/v1/namespaces/default/configmaps";
const path = (name: string): string => `demo/default/core/configmaps/${name}.yaml`;

test("the tree follows, and what somebody changes is all that he is credited with", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-rules-"));
  try {
    await using house = await PlayedHouse.open(directory);
    const create = (name: string, labels: Readonly<Record<string, string>>): Promise<void> => {
      const body = { metadata: { name, labels }, data: { a: "one", b: "two" } };
      return house.call({ user: ALICE, method: "POST", path: collection, body }, 201);
    };
    const change = (name: string, value: string): Promise<void> => {
      const body = { data: { a: value } };
      return house.call({ user: BOB, method: "PATCH", path: `${collection}/${name}`, body }, 200);
    };
    const log = (): readonly string[] => {
      const format = "%an|%s|%(trailers:key=Kubescribe-Kind,valueonly,separator=)";
      const lines = house.git("log", "--reverse", `--format=${format}`, "main").toString().trim().split("\n");
      return lines.map((line) => line.replace(/\d[\d-]+ \d\d:\d\d:\d\d to [\d: -]+ UTC/, "... to ..."));
    };
    const changedIn = (commit: string): string => house.git("show", "--format=", "--numstat", commit).toString().trim();
    const everything = readFileSync(house.place.rulesFile, "utf8");
    const ofTeamX = everything.replace("  rules:\n", "  selector: {matchLabels: {team: x}}\n  rules:\n");
    const blind = "kubescribe|Attribution was blind from ... to ...: no process took reviews|coverage";

    await house.start();
    await create("in", { team: "x" });
    await create("out", {});
    for (const name of ["in", "out"]) await house.committed(path(name), 1);
    let before = log().length;

    await house.kill();
    writeFileSync(house.place.rulesFile, ofTeamX);
    await house.start();
    await house.committed(path("out"), 2);
    await change("out", "three");
    await change("in", "three");
    await house.committed(path("in"), 2);
    expect(log().slice(before)).toEqual([
      "kubescribe|Follow changed rules: remove 1 file of core/configmaps|format",
      blind,
      "bob@example.com|Update configmaps default/in|",
    ]);
    expect(changedIn("main")).toBe(`1\t1\t${path("in")}`);
    expect(JSON.parse(await house.verify())).toMatchObject({ equal: true });
    before = log().length;

    await house.kill();
    await change("out", "four");
    writeFileSync(house.place.rulesFile, everything);
    await house.start();
    await house.committed(path("out"), 4);
    expect(log().slice(before)).toEqual([
      "kubescribe|Follow changed rules: write 1 file of core/configmaps|format",
      blind,
      "unresolved|Update configmaps default/out|",
    ]);
    expect(changedIn("main")).toBe(`1\t1\t${path("out")}`);
    expect(JSON.parse(await house.verify())).toMatchObject({ equal: true });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a type that no rule named for a time goes on where it was left", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-rules-"));
  try {
    await using house = await PlayedHouse.open(directory);
    const create = (name: string, value: string): Promise<void> => {
      const body = { metadata: { name }, data: { a: value } };
      return house.call({ user: ALICE, method: "POST", path: collection, body }, 201);
    };
    const change = (name: string, value: string): Promise<void> => {
      const body = { data: { a: value } };
      return house.call({ user: ALICE, method: "PATCH", path: `${collection}/${name}`, body }, 200);
    };
    const subjects = (): readonly string[] =>
      house
        .git("log", "--reverse", "--format=%an|%s", "main", "--", path("a"), path("b"))
        .toString()
        .trim()
        .split("\n");
    const everything = readFileSync(house.place.rulesFile, "utf8");

    await house.start();
    await create("a", "one");
    await house.committed(path("a"), 1);
    await house.kill();
    writeFileSync(house.place.rulesFile, everything.replace("configmaps, ", ""));
    await house.start();
    await change("a", "two");
    await create("b", "one");
    await change("a", "three");
    await house.kill();
    writeFileSync(house.place.rulesFile, everything);
    await house.start();
    await house.committed(path("a"), 3);
    await change("a", "four");
    await house.committed(path("a"), 4);
    expect(subjects()).toEqual([
      "alice@example.com|Create configmaps default/a",
      "alice@example.com|Update configmaps default/a",
      "alice@example.com|Create configmaps default/b",
      "alice@example.com|Update configmaps default/a",
      "alice@example.com|Update configmaps default/a",
    ]);
    expect(JSON.parse(await house.verify())).toMatchObject({ equal: true });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
