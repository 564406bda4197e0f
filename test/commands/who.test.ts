/** What `kubescribe who` says of histories that the real commit pool wrote. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FlushEntry } from "../../actors/ports.ts";
import type { TypeKey } from "../../machines/messages.ts";
import {
  actorOf,
  changed,
  clusterUid,
  configmaps,
  cursorOf,
  deployments,
  runGit,
  selectionOf,
  unresolved,
  verdictBy,
} from "../git/fixtures.ts";
import { web, webSnapshot, WhoWorld } from "./who-world.ts";

const alice = "alice@example.com";
const bob = "bob@example.com";
const carol = "carol@example.com";
const webPath = "clusters/prod/shop/apps/deployments/web.yaml";
const shop = ["deployment/web", "-n", "shop"];

/** The lines without ids and times, which are of no interest. */
function told(out: string): readonly string[] {
  return out
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^[0-9a-f]{10} {2}\d{4}-\d\d-\d\dT[\d:]+Z {2}/, "# ").replaceAll(/ {2,}/g, "  "));
}

async function shopWorld(): Promise<WhoWorld> {
  const world = new WhoWorld();
  await world.record([
    webSnapshot(5),
    web({ version: 6, verdict: verdictBy(alice) }, { replicas: 3 }),
    web({ version: 7, verdict: verdictBy(bob) }, { replicas: 3, images: { web: "web:2" }, labels: { "a.b/c": "x" } }),
    web({ version: 8, verdict: verdictBy(carol) }, { replicas: 3, images: { mesh: "m:1", web: "web:2" } }),
  ]);
  return world;
}

describe("the list of changes", () => {
  test("is the newest first, says who, how certain, and which fields, and begins with what nobody is named for", async () => {
    using world = await shopWorld();
    const { code, out } = await world.ask(shop);
    expect(code).toBe(0);
    expect(told(out)).toEqual([
      "deployments.apps shop/web",
      "clusters/prod/shop/apps/deployments/web.yaml, cluster 0d5a6f0e-0000-4000-8000-000000000001",
      "",
      "# carol@example.com  proven",
      '  .metadata.labels["a.b/c"], .spec.template.spec.containers[0]',
      "# bob@example.com  proven",
      '  .metadata.labels["a.b/c"], .spec.template.spec.containers[0].image',
      "# alice@example.com  proven",
      "  .spec.replicas",
      "# nobody is named  snapshot",
      "  first seen: it was there already, and the history does not reach back to who made it",
    ]);
    expect(out).toContain(`\n${world.git("rev-parse", "--short=10", "main")}  2023-11-14T22:13:20Z  carol@`);
  });

  test("is cut at the limit, and says how many are older", async () => {
    using world = await shopWorld();
    const { out } = await world.ask([...shop, "-L", "1"]);
    expect(out).toContain("carol");
    expect(out).not.toContain("bob");
    expect(out).toContain("\nand 3 older ones: --limit 0 lists them all\n");
    expect((await world.ask([...shop, "--limit=0"])).out).not.toContain("older");
    // One that changes no file is none.
    world.commitNote(world.git("log", "-1", "--format=%B", "main"));
    expect((await world.ask(shop)).out).not.toContain("older");
    expect((await world.ask([...shop, "-L", "1"])).out).toContain("\nand 3 older ones");
  });

  test("shows a few fields and counts the others", async () => {
    using world = new WhoWorld();
    const keys = Array.from({ length: 11 }, (_, at) => `k${at}`);
    const labels = (value: string): Record<string, string> => Object.fromEntries(keys.map((key) => [key, value]));
    await world.record([webSnapshot(5, { labels: labels("a") }), web({ version: 6 }, { labels: labels("b") })]);
    const { out } = await world.ask(shop);
    expect(out).toContain(
      ".metadata.labels.k0, .metadata.labels.k1, .metadata.labels.k10, .metadata.labels.k2 and 7 more\n",
    );
  });

  test.each([
    [
      "tie of one",
      { ...verdictBy(alice), tier: "tie", candidates: [actorOf(alice)] },
      `${alice}  the only one who was seen; others may be missing`,
    ],
    [
      "tie",
      { ...verdictBy(alice), tier: "tie", candidates: [actorOf(alice), actorOf(bob)] },
      `${alice} or ${bob}  a tie: all of them fit`,
    ],
    ["unresolved", unresolved, "nobody is known for certain: unresolved  no review was seen"],
    [
      "collapsed",
      { ...unresolved, tier: "collapsed", candidates: [actorOf(alice), actorOf(bob)] },
      `nobody is known for certain: collapsed, ${alice}, ${bob} may have  several changes seen as one`,
    ],
    ["recovered", { ...verdictBy(alice), tier: "recovered" }, `${alice}  the only writer in a gap`],
    ["fifo", { ...verdictBy(alice), tier: "fifo" }, `${alice}  guessed, by --attribution fifo`],
  ] as const)("a verdict %s reads as what it is", async (_, verdict, line) => {
    using world = new WhoWorld();
    await world.record([webSnapshot(5), web({ version: 6, verdict }, { replicas: 2 })]);
    expect(told((await world.ask(shop)).out)).toContain(`# ${line}`);
  });

  test("keeps objects of one name apart: created, deleted, created again", async () => {
    using world = new WhoWorld();
    const first = "11111111-0000-4000-8000-000000000000";
    const second = "22222222-0000-4000-8000-000000000000";
    await world.record([
      web({ version: 5, operation: "CREATE", uid: first }),
      web({
        version: 6,
        operation: "DELETE",
        uid: first,
        verdict: { ...verdictBy(bob), tier: "delete", causedBy: carol },
      }),
      web({ version: 7, operation: "CREATE", uid: second, verdict: verdictBy(bob) }),
    ]);
    expect(told((await world.ask(shop)).out).slice(3)).toEqual([
      "# bob@example.com  proven",
      "  created",
      `----------  an earlier object of this name (uid ${first})`,
      "# bob@example.com  asked for it by DELETE, on the request of carol@example.com",
      "  deleted",
      "# alice@example.com  proven",
      "  created",
    ]);
  });

  test("keeps them apart where nobody saw the deletion", async () => {
    using world = new WhoWorld();
    const first = "11111111-0000-4000-8000-000000000000";
    const second = "22222222-0000-4000-8000-000000000000";
    await world.record([web({ version: 5, operation: "CREATE", uid: first })]);
    await world.record([{ kind: "resync", type: deployments, cursor: cursorOf(9), present: [] }]);
    await world.record([web({ version: 10, operation: "CREATE", uid: second })]);
    expect(told((await world.ask(shop)).out).slice(3)).toEqual([
      "# alice@example.com  proven",
      "  created",
      "# nobody is known for certain: unresolved  no review was seen",
      "  deleted",
      `----------  an earlier object of this name (uid ${first})`,
      "# alice@example.com  proven",
      "  created",
    ]);
  });

  test("has deleted resources, and says that they are gone", async () => {
    using world = new WhoWorld();
    await world.record([web({ version: 5, operation: "CREATE" }), web({ version: 6, operation: "DELETE" })]);
    const { code, out } = await world.ask(shop);
    expect(code).toBe(0);
    expect(out).toContain("deployments.apps shop/web (gone)\n");
  });

  test("says where a cluster was restored from a backup", async () => {
    using world = new WhoWorld();
    await world.record([webSnapshot(50), web({ version: 60 }, { replicas: 2 })]);
    await world.record([web({ version: 55, epoch: 1 }, { replicas: 3 })]);
    expect(told((await world.ask(shop)).out).slice(3, 6)).toEqual([
      "# alice@example.com  proven",
      "  .spec.replicas",
      "----------  before the cluster was restored from a backup",
    ]);
  });

  test("tells the object that left a rule's selection from one that was deleted, and one that came in from a new one", async () => {
    using world = new WhoWorld();
    const selections = [selectionOf(deployments, { matchLabels: { kept: "yes" } })];
    const kept = { labels: { kept: "yes" } };
    await world.record(
      [web({ version: 5, verdict: verdictBy(bob) }, kept), web({ version: 6 }, {}), web({ version: 7 }, kept)],
      { selections },
    );
    const lines = told((await world.ask(shop)).out);
    expect(lines.filter((line) => line.startsWith("  "))).toEqual([
      "  first recorded with this change: what was before it is not known",
      "  no longer recorded: it left the rule's selection",
      "  first recorded with this change: what was before it is not known",
    ]);
    // Bob touched it first; he has not set all that it has.
    const { out } = await world.ask([...shop, ".spec.replicas"]);
    expect(out).toContain("Who set it is not known: the history of the object begins there.\n");
    expect(out).not.toContain("->");
  });

  test("shows takeovers, rewrites and blind times as what they are", async () => {
    using world = await shopWorld();
    const files = world.beside("work");
    world.git("worktree", "add", "-q", files, "main");
    world.git("-C", files, "rm", "-q", webPath);
    world.git("-C", files, "commit", "-q", "-m", "tidy up");
    world.commitNote(`No authors for 5 min\n\nKubescribe-Kind: coverage\nKubescribe-Cluster: ${clusterUid}\n`);
    await world.record([web({ version: 9, verdict: verdictBy(bob) }, { replicas: 9 })]);
    world.git("-C", files, "reset", "-q", "--hard", "main");
    world.git("-C", files, "rm", "-q", webPath);
    const rewrite = `Rewrite\n\nKubescribe-Kind: format\nKubescribe-Cluster: ${clusterUid}\n`;
    world.git("-C", files, "commit", "-q", "-m", rewrite);
    const lines = told((await world.ask([...shop, "-L", "3"])).out).slice(3);
    expect(lines.filter((line) => !line.startsWith("  ."))).toEqual([
      "# nobody is named  format",
      "  no longer recorded: the rules select it no more; nothing changed in the cluster",
      "# bob@example.com  proven",
      "# nobody is named  takeover",
      "  kubescribe put its file back over somebody's edit in Git; nothing changed in the cluster",
      "",
      "and 4 older ones: --limit 0 lists them all",
    ]);
    expect(told((await world.ask(shop)).out)).toContain("# authors were not seen: No authors for 5 min");
  });

  test("counts blind times where there are many between two changes", async () => {
    using world = await shopWorld();
    const blind = (at: number): void =>
      world.commitNote(`Blind ${at}\n\nKubescribe-Kind: coverage\nKubescribe-Cluster: ${clusterUid}\n`);
    for (let at = 0; at < 5; at++) blind(at);
    expect(told((await world.ask([...shop, "-L", "1"])).out).slice(3, 8)).toEqual([
      "# authors were not seen: Blind 4",
      "# authors were not seen: Blind 3",
      "# authors were not seen: Blind 2",
      "  and 2 more such times",
      "# carol@example.com  proven",
    ]);
  });

  test("keeps clusters and targets apart, and can be asked for one", async () => {
    using world = new WhoWorld();
    const other = "99999999-0000-4000-8000-000000000001";
    await world.record([webSnapshot(5), web({ version: 6 }, { replicas: 2 })]);
    const second = { id: "default/second", path: "clusters/spare" };
    await world.record([webSnapshot(5), web({ version: 6, verdict: verdictBy(bob) }, { replicas: 2 })], second);
    const third = { id: "default/third", path: "", clusterUid: other };
    await world.record([webSnapshot(5), web({ version: 7, verdict: verdictBy(carol) }, { replicas: 3 })], third);
    const heads = (out: string): readonly string[] => out.split("\n").filter((line) => line.includes(", cluster "));
    const spare = `clusters/spare/shop/apps/deployments/web.yaml, cluster ${clusterUid}`;
    const root = `shop/apps/deployments/web.yaml, cluster ${other}`;
    for (const question of [shop, [...shop, ".spec.replicas"]]) {
      const all = await world.ask(question);
      expect(heads(all.out).toSorted()).toEqual([`${webPath}, cluster ${clusterUid}`, spare, root]);
      expect(heads((await world.ask([...question, "--cluster", "9999"])).out)).toEqual([root]);
      expect(heads((await world.ask([...question, "--path", "/clusters/spare/"])).out)).toEqual([spare]);
      expect(heads((await world.ask([...question, "--path", ""])).out)).toEqual([root]);
      const none = await world.ask([...question, "--path", "clusters/none"]);
      expect(none).toMatchObject({ code: 1, out: "" });
      expect(none.error).toContain("it has some below clusters/spare, clusters/prod, the root\n");
    }
  });
});

describe("a field", () => {
  test.each<readonly [string, string, readonly string[]]>([
    [".spec.replicas", "3", [`# ${alice}  proven`, "  1 -> 3"]],
    ["spec.replicas", "3", [`# ${alice}  proven`, "  1 -> 3"]],
    ['.spec.template.spec.containers[?(@.name=="web")].image', '"web:2"', [`# ${bob}  proven`, '  "web:1" -> "web:2"']],
    // Carol put another container before it.
    [".spec.template.spec.containers[1].image", '"web:2"', [`# ${bob}  proven`, '  "web:1" -> "web:2"']],
    [".spec.template.spec.containers[0].image", '"m:1"', [`# ${carol}  proven`, '  (not set) -> "m:1"']],
    [
      ".spec.template",
      "(1 field)",
      [`# ${carol}  proven`, "  .spec.template.spec.containers[0]: (not set) -> (2 fields)"],
    ],
    [String.raw`.metadata.labels.a\.b/c`, "(not set)", [`# ${carol}  proven`, '  "x" -> (not set)']],
    [
      ".kind",
      '"Deployment"',
      [
        "# nobody is named  snapshot",
        "  first seen: it was there already, and the history does not reach back to who made it",
        "Who set it is not known: the history of the object begins there.",
      ],
    ],
  ])("%s was set by", async (field, value, lines) => {
    using world = await shopWorld();
    const { code, out } = await world.ask([...shop, field]);
    expect(code).toBe(0);
    expect(told(out)[0]?.endsWith(`: ${value}`)).toBe(true);
    expect(told(out).slice(3)).toEqual(lines);
  });

  test("that never was is not found, and what is there is said", async () => {
    using world = await shopWorld();
    const { code, out } = await world.ask([...shop, ".spec.replica"]);
    expect(code).toBe(1);
    expect(out).toContain(
      "There is no such field, and no change that is recorded here had it; .spec has replicas, template.\n",
    );
  });

  test("of an object that was created has its creator, and of one that is gone its last state and who deleted it", async () => {
    using world = new WhoWorld();
    await world.record([
      web({ version: 5, operation: "CREATE" }, { replicas: 2 }),
      web({ version: 6, operation: "DELETE", verdict: { ...verdictBy(bob), tier: "delete" } }),
    ]);
    const { out } = await world.ask([...shop, ".spec.replicas"]);
    expect(told(out)[0]).toBe("deployments.apps shop/web .spec.replicas: 2 (before it went)");
    expect(told(out).slice(3)).toEqual([
      "# bob@example.com  asked for it by DELETE",
      "  deleted",
      "# alice@example.com  proven",
      "  created",
      "  (not set) -> 2",
    ]);
  });

  test("that changed while nobody looked has nobody, and then the last one who did", async () => {
    using world = new WhoWorld();
    await world.record([web({ version: 5, operation: "CREATE" }), web({ version: 6 }, { replicas: 2 })]);
    world.git("update-ref", "-d", `refs/kubescribe/${clusterUid}/default%2Fhistory`);
    // Without a state ref and beyond the commits that stand in for it, a target begins anew.
    const lost = `Snapshot\n\nKubescribe-Kind: snapshot\nKubescribe-Cluster: ${clusterUid}\n`;
    const files = world.beside("work");
    world.git("worktree", "add", "-q", files, "main");
    const path = `${files}/${webPath}`;
    writeFileSync(path, readFileSync(path, "utf8").replace("replicas: 2", "replicas: 7"));
    world.git("-C", files, "commit", "-q", "-a", "-m", lost);
    const { code, out } = await world.ask([...shop, ".spec.replicas"]);
    expect(code).toBe(0);
    expect(told(out).slice(3)).toEqual(["# nobody is named  snapshot", "  2 -> 7", `# ${alice}  proven`, "  1 -> 2"]);
  });

  test("is not looked for behind a takeover of what was edited in Git", async () => {
    using world = await shopWorld();
    const files = world.beside("work");
    world.git("worktree", "add", "-q", files, "main");
    const path = `${files}/${webPath}`;
    writeFileSync(path, readFileSync(path, "utf8").replace("replicas: 3", "replicas: 7"));
    world.git("-C", files, "commit", "-q", "-a", "-m", "edit");
    await world.record([web({ version: 9, verdict: verdictBy(bob) }, { replicas: 3, labels: { b: "c" } })]);
    expect(told((await world.ask([...shop, ".spec.replicas"])).out).slice(3)).toEqual([
      `# ${alice}  proven`,
      "  1 -> 3",
    ]);
  });

  test("of a Secret shows no value", async () => {
    using world = new WhoWorld();
    const secrets = { ...configmaps, key: "core/secrets" as TypeKey, resource: "secrets", kind: "Secret" };
    const secret = (version: number, password: string): FlushEntry => {
      const data = { password: Buffer.from(password).toString("base64") };
      const content = JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: "web" }, data });
      return changed({ type: secrets, version, content, operation: version === 5 ? "CREATE" : "UPDATE" });
    };
    await world.record([secret(5, "old"), secret(6, "new")], {
      secrets: { policy: "keep" },
      selections: [selectionOf(secrets)],
    });
    for (const json of [[], ["--json"]]) {
      const { code, out } = await world.ask(["secret/web", ".data", ...json]);
      expect(code).toBe(0);
      expect(out).toContain("password");
      expect(out).not.toMatch(/b2xk|bmV3/);
    }
  });
});

describe("a resource", () => {
  const words = ["deployment/web", "deployments/web", "deploy/web", "Deployment/web", "deployments.apps/web"];
  test.each([...words, "deployment.v1.apps/web"])("is found as %s", async (word) => {
    using world = await shopWorld();
    expect(await world.ask([word, "-n", "shop"])).toMatchObject({ code: 0 });
  });

  test("is found in two words, and by the kind in its file where no rule makes the plural", async () => {
    using world = new WhoWorld();
    const oxen = { ...configmaps, key: "farm.io/oxen" as TypeKey, group: "farm.io", resource: "oxen", kind: "Ox" };
    const content = JSON.stringify({ apiVersion: "farm.io/v1", kind: "Ox", metadata: { name: "web" } });
    const selections = [selectionOf(oxen)];
    await world.record([changed({ type: oxen, version: 5, operation: "CREATE", content })], { selections });
    for (const word of ["ox", "ox.farm.io", "oxen"]) {
      expect(await world.ask([word, "web"])).toMatchObject({ code: 0 });
    }
    expect(await world.ask(["ox.zoo.io", "web"])).toMatchObject({ code: 1 });
  });

  test("is found by its kind where one commit wrote the newest files of several types", async () => {
    using world = new WhoWorld();
    for (const [resource, kind] of [
      ["oxen", "Ox"],
      ["geese", "Goose"],
    ] as const) {
      const type = { ...configmaps, key: `farm.io/${resource}` as TypeKey, group: "farm.io", resource, kind };
      const content = JSON.stringify({ apiVersion: "farm.io/v1", kind, metadata: { name: "web" } });
      const created = changed({ type, version: 5, operation: "CREATE", content });
      await world.record([created], { selections: [selectionOf(type)] });
    }
    const files = world.beside("work");
    world.git("worktree", "add", "-q", files, "main");
    for (const resource of ["oxen", "geese"]) {
      const path = `${files}/clusters/prod/default/farm.io/${resource}/web.yaml`;
      writeFileSync(path, `${readFileSync(path, "utf8")}spec: {}\n`);
    }
    const rewrite = `Rewrite\n\nKubescribe-Kind: format\nKubescribe-Cluster: ${clusterUid}\n`;
    world.git("-C", files, "commit", "-q", "-a", "-m", rewrite);
    for (const word of ["ox", "goose"]) expect(await world.ask([word, "web"])).toMatchObject({ code: 0 });
  });

  test("that is cluster-scoped has no namespace", async () => {
    using world = new WhoWorld();
    const nodes = { ...configmaps, key: "core/nodes" as TypeKey, resource: "nodes", kind: "Node", namespaced: false };
    const content = JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name: "system:x" } });
    const created = changed({ type: nodes, version: 5, operation: "CREATE", namespace: "", name: "system:x", content });
    await world.record([created], { selections: [selectionOf(nodes)] });
    const { code, out } = await world.ask(["no/system:x", "-n", "shop"]);
    expect([code, told(out)[0]]).toEqual([0, "nodes system:x"]);
  });

  test.each<readonly [readonly string[], number, string]>([
    [["deployment/web"], 1, 'no deployment "web" in the namespace "default", but in shop: say so with -n'],
    [
      ["deployment/wed", "-n", "shop"],
      1,
      'no deployment "wed" in the namespace "shop" (did you mean "web"?); it has web',
    ],
    [["deployment/wed"], 1, 'no deployment "wed" in the namespace "default"; it has some in shop'],
    [["deploymant/web"], 1, 'no "deploymant" (did you mean "deployments"?); it has deployments.apps'],
    [["configmap/web"], 1, 'no "configmap"; it has deployments.apps'],
    [["deployment/web", "--branch", "nix"], 2, "--branch expected a branch or another revision of"],
    [["deployment/web", "--branch", "main:clusters"], 2, 'found "main:clusters", which is a tree'],
    [["deployment/web", "--branch=--all"], 2, 'found "--all": it has main'],
    [["deployment/web", "-n", "shop", "--cluster", "1"], 1, `no cluster "1"; it has "${clusterUid}"`],
    [["web"], 2, 'expected TYPE/NAME such as deployment/web, and a field of it if you like, found "web"'],
    [[], 2, "found nothing"],
    [["deployment/web", ".spec..x"], 2, "expected a path such as .spec.replicas"],
    [["deployment/web", ".a", ".b"], 2, 'expected one field path after the resource, found ".a" ".b"'],
    [["deployment/web", "-L", "x"], 2, "--limit expected a whole number of changes"],
    [["deployment/web", "--namespce", "x"], 2, 'unknown option "--namespce". Did you mean "--namespace"?'],
  ])("%j is not there, or no question", async (argv, code, message) => {
    using world = await shopWorld();
    const answer = await world.ask(argv);
    expect(answer).toMatchObject({ code, out: "" });
    expect(answer.error).toContain(message);
  });

  test("is in no directory that is no repository, and on no branch that is not born", async () => {
    using world = new WhoWorld();
    const empty = world.beside("empty");
    mkdirSync(empty);
    expect(await world.ask(shop, { cwd: empty })).toMatchObject({ code: 2 });
    expect((await world.ask(shop, { cwd: empty })).error).toContain("is in no git repository");
    runGit(empty, ["init", "-q"]);
    expect((await world.ask(shop, { cwd: empty })).error).toContain("HEAD has no commit yet");
  });
});

test("what the cluster's users, or whoever can push, have chosen reaches no terminal as it is", async () => {
  using world = await shopWorld();
  const evil = "\u001b[31mroot\u202e\u009b2J";
  const files = world.beside("work");
  world.git("worktree", "add", "-q", files, "main");
  const path = `${files}/${webPath}`;
  const label = `  labels:\n    ${JSON.stringify(evil)}: ${JSON.stringify(`${evil}\n`)}\n`;
  writeFileSync(path, readFileSync(path, "utf8").replace(/ {2}labels: \{\}\n/, label));
  const trailers = [
    `Changed-By: ${evil}`,
    "Kubescribe-Resource: apps/v1/deployments shop/web",
    `Kubescribe-Uid: ${evil}`,
    "Kubescribe-Operation: UPDATE",
    `Kubescribe-Attribution: ${evil}`,
    `Kubescribe-Cluster: ${clusterUid}`,
  ];
  world.git("-C", files, "commit", "-q", "-a", "-m", `${evil}\n\n${trailers.join("\n")}`);
  world.commitNote(`${evil}\n\nKubescribe-Kind: coverage\nKubescribe-Cluster: ${clusterUid}\n`);
  for (const field of [[], [".metadata"]]) {
    for (const json of [[], ["--json"]]) {
      const { code, out } = await world.ask([...shop, ...field, ...json]);
      expect(code).toBe(0);
      expect(out).toMatch(json.length === 0 ? /\\u\{1b\}\[31mroot\\u\{202e\}/ : /\\u001b\[31mroot\\u202e\\u009b2J/);
      expect(out.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
    }
  }
  expect((await world.ask([`deployment/${evil}`])).error.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
});

test("a commit that is dated beyond all calendars is listed all the same", async () => {
  using world = await shopWorld();
  const body = world.git("cat-file", "commit", "main").replace(/^(author .*>) \d+ /m, "$1 99999999999999999 ");
  const id = runGit(world.repository, ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"], `${body}\n`);
  world.git("update-ref", "refs/heads/main", id);
  for (const json of [[], ["--json"]]) {
    const { code, out } = await world.ask([...shop, ...json]);
    expect(code).toBe(0);
    expect(out).toContain("9999-12-31T23:59:59Z");
  }
});

test("a commit that somebody squashed is asked for the one file that its trailers name", async () => {
  using world = await shopWorld();
  const files = world.beside("work");
  world.git("worktree", "add", "-q", files, "main");
  const path = `${files}/${webPath}`;
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace("replicas: 3", "replicas: 4"));
  for (const name of ["a", "z"]) writeFileSync(path.replace("web.yaml", `${name}.yaml`), text);
  world.git("-C", files, "add", "-A");
  const message = world.git("log", "-1", "--format=%B", "main");
  world.git("-C", files, "commit", "-q", "-m", message);
  expect(told((await world.ask([...shop, "-L", "1"])).out).slice(1, 5)).toEqual([
    `${webPath}, cluster ${clusterUid}`,
    "",
    "# carol@example.com  proven",
    "  .spec.replicas",
  ]);
});

test("JSON says the same to a program", async () => {
  using world = await shopWorld();
  const list = JSON.parse((await world.ask([...shop, "--json", "-L", "2"])).out) as unknown;
  expect(list).toMatchObject({
    branch: "HEAD",
    head: world.git("rev-parse", "main"),
    shallow: false,
    older: 2,
    resources: [
      {
        cluster: clusterUid,
        group: "apps",
        resource: "deployments",
        namespace: "shop",
        name: "web",
        path: webPath,
        gone: false,
        changes: [
          {
            commit: world.git("rev-parse", "main"),
            time: "2023-11-14T22:13:20Z",
            kind: "change",
            by: carol,
            attribution: "exact",
            operation: "UPDATE",
            resourceVersion: "8",
            fields: ['.metadata.labels["a.b/c"]', ".spec.template.spec.containers[0]"],
          },
          { by: bob },
        ],
        blind: [],
      },
    ],
  });
  const field = JSON.parse((await world.ask([...shop, ".spec.replicas", "--json"])).out) as unknown;
  expect(field).toMatchObject({
    resources: [
      {
        field: ".spec.replicas",
        value: 3,
        end: "found",
        steps: [{ by: alice, fields: [{ field: ".spec.replicas", before: 1, after: 3 }] }],
      },
    ],
  });
});
