/** A process with another installation key than its predecessor's, and with another policy: what it makes of files that are there. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { ALICE, BOB } from "../../src/commands/demo-people.ts";
import { PlayedHouse } from "./played-house.ts";

const collection = "/api/v1/namespaces/default/secrets";
const path = (name: string): string => `demo/default/core/secrets/${name}.yaml`;

test("files are written anew by nobody, and what changed meanwhile is its author's alone", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-format-"));
  try {
    await using house = await PlayedHouse.open(directory);
    const create = (name: string): Promise<void> => {
      const body = { metadata: { name }, stringData: { a: "one", b: "two" } };
      return house.call({ user: ALICE, method: "POST", path: collection, body }, 201);
    };
    const change = (name: string, value: string): Promise<void> => {
      const body = { stringData: { a: value } };
      return house.call({ user: BOB, method: "PATCH", path: `${collection}/${name}`, body }, 200);
    };
    const log = (): readonly string[] => {
      const format = "%an|%s|%(trailers:key=Kubescribe-Kind,valueonly,separator=)";
      const lines = house.git("log", "--reverse", `--format=${format}`, "main").toString().trim().split("\n");
      // Of the times between two lives tells another test.
      return lines.filter((line) => !line.endsWith("|coverage"));
    };
    const changedIn = (commit: string): string => house.git("show", "--format=", "--numstat", commit).toString().trim();

    await house.start();
    for (const name of ["token", "quiet"]) await create(name);
    await house.committed(path("token"), 1);
    await house.committed(path("quiet"), 1);
    const before = log().length;
    await house.kill();
    await change("token", "three");
    writeFileSync(join(house.place.dataDirectory, "installation.key"), `${"5".repeat(64)}\n`);
    await house.start();
    await house.committed(path("token"), 3);
    expect(log().slice(before)).toEqual([
      "kubescribe|Rewrite 2 files of core/secrets in another format|format",
      "unresolved|Update secrets default/token|",
    ]);
    expect(changedIn("main~2")).toBe(`2\t2\t${path("quiet")}\n2\t2\t${path("token")}`);
    expect(changedIn("main")).toBe(`1\t1\t${path("token")}`);
    expect(JSON.parse(await house.verify())).toMatchObject({ equal: true });

    // Again, with nothing to be done.
    await house.kill();
    await house.start();
    await change("token", "four");
    await house.committed(path("token"), 4);
    expect(log().slice(before + 2)).toEqual(["bob@example.com|Update secrets default/token|"]);

    await house.kill();
    const rules = readFileSync(house.place.rulesFile, "utf8");
    writeFileSync(house.place.rulesFile, rules.replace("  branch: main\n", "  branch: main\n  secrets: keep\n"));
    await house.start();
    await house.committed(path("quiet"), 3);
    expect(log().slice(before + 3)).toEqual(["kubescribe|Rewrite 2 files of core/secrets in another format|format"]);
    expect(JSON.parse(await house.verify())).toMatchObject({ equal: true });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
