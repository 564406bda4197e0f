import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { git, readFileAt } from "./history.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const services = "/api/v1/namespaces/default/services";
const clusterRoles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const megabyte = 1_000_000;

describe("writes of every shape", () => {
  let plane: ControlPlane;
  let kubescribe: Kubescribe;

  const told = async (type: string, name: string, count: number): Promise<readonly (readonly string[])[]> => {
    const commits = await kubescribe.waitForCommits(type, name, count);
    return commits.map(({ operation, tier, user }) => [operation, tier, user]);
  };
  const apply = (user: string, path: string, body: object, query: string): Promise<number> => {
    const headers = { "content-type": "application/apply-patch+yaml" };
    return plane.request(user, "PATCH", `${path}?${query}`, body, { headers }).then(({ status }) => status);
  };

  beforeAll(async () => {
    plane = await startControlPlane({ numberedUsers: 0 });
    kubescribe = await startKubescribe(plane, {
      types: [
        { apiGroups: [""], resources: ["configmaps", "services"] },
        { apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"] },
      ],
    });
    await kubescribe.installWebhook();
  });

  afterAll(async () => {
    await kubescribe[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("generateName: the name that the API server made, by whoever asked", async () => {
    const answers = [];
    for (const user of ["alice", "bob"])
      answers.push(await plane.request(user, "POST", configMaps, { metadata: { generateName: "made-" } }));
    const names = answers.map((answer) => (answer.json()["metadata"] as { name: string }).name);
    expect(await told("configmaps", `default/${names[0]}`, 1)).toEqual([["CREATE", "exact", "alice"]]);
    expect(await told("configmaps", `default/${names[1]}`, 1)).toEqual([["CREATE", "exact", "bob"]]);
  });

  test("server-side apply: who was refused by a conflict makes no commit, who forces it does", async () => {
    const path = `${configMaps}/applied`;
    const manifest = (text: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "applied" },
      data: { text },
    });
    expect(await apply("alice", path, manifest("a"), "fieldManager=one")).toBe(201);
    expect(await apply("bob", path, manifest("b"), "fieldManager=two")).toBe(409);
    expect(await apply("carol", path, manifest("b"), "fieldManager=three&force=true")).toBe(200);
    const commits = await kubescribe.waitForCommits("configmaps", "default/applied", 2);
    expect(commits).toMatchObject([
      { operation: "CREATE", tier: "exact", user: "alice", fieldManager: "one" },
      { operation: "UPDATE", tier: "exact", user: "carol", fieldManager: "three" },
    ]);
  });

  test("what changes nothing, or nothing but managedFields, makes no commit", async () => {
    const path = `${configMaps}/still`;
    const body = { metadata: { name: "still" }, data: { text: "same" } };
    await plane.request("alice", "POST", configMaps, body);
    expect((await plane.request("bob", "PUT", path, body)).status).toBe(200);
    expect((await plane.request("bob", "PATCH", path, { data: { text: "same" } })).status).toBe(200);
    const applied = { apiVersion: "v1", kind: "ConfigMap", ...body };
    expect(await apply("carol", path, applied, "fieldManager=other")).toBe(200);
    await plane.request("dave", "PATCH", path, { data: { text: "new" } });
    expect(await told("configmaps", "default/still", 2)).toEqual([
      ["CREATE", "exact", "alice"],
      ["UPDATE", "exact", "dave"],
    ]);
  });

  test("a status alone makes no commit; one that writes an annotation does, by whoever wrote it", async () => {
    const body = { metadata: { name: "front" }, spec: { ports: [{ port: 80 }] } };
    expect((await plane.request("alice", "POST", services, body)).status).toBe(201);
    const status = { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } };
    const path = `${services}/front`;
    expect((await plane.request("admin", "PATCH", path, { spec: { type: "LoadBalancer" } })).status).toBe(200);
    expect((await plane.request("bob", "PATCH", `${path}/status`, { status })).status).toBe(200);
    const annotated = await plane.request("carol", "PATCH", `${path}/status`, {
      metadata: { annotations: { "example.com/seen": "yes" } },
    });
    expect(annotated.status).toBe(200);
    expect(annotated.text).toContain("example.com/seen");
    expect(await told("services", "default/front", 3)).toEqual([
      ["CREATE", "exact", "alice"],
      ["UPDATE", "exact", "admin"],
      ["UPDATE", "exact", "carol"],
    ]);
  });

  test("objects of a megabyte, made and changed", async () => {
    const body = (letter: string) => ({ metadata: { name: "big" }, data: { text: letter.repeat(megabyte) } });
    expect((await plane.request("alice", "POST", configMaps, body("a"))).status).toBe(201);
    expect((await plane.request("bob", "PUT", `${configMaps}/big`, body("b"))).status).toBe(200);
    expect(await told("configmaps", "default/big", 2)).toEqual([
      ["CREATE", "exact", "alice"],
      ["UPDATE", "exact", "bob"],
    ]);
    const text = await readFileAt(kubescribe.repository, "main", "cluster/default/core/configmaps/big.yaml");
    expect((parse(text) as { data: { text: string } }).data.text === "b".repeat(megabyte)).toBe(true);
  });

  test("names with colons are in paths that any checkout can hold", async () => {
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
    await plane.request("dave", "POST", clusterRoles, { metadata: { name: "system:test:reader" }, rules });
    const [commit] = await kubescribe.waitForCommits("clusterroles", "system:test:reader", 1);
    expect(commit).toMatchObject({ user: "dave", tier: "exact" });
    expect(commit?.paths).toEqual([
      "cluster/_cluster/rbac.authorization.k8s.io/clusterroles/system%3Atest%3Areader.yaml",
    ]);
    const paths = await git(kubescribe.repository, ["ls-tree", "-r", "--name-only", "main"]);
    expect(paths).not.toContain(":");
  });

  test("values with every escape come back from the file as they were", async () => {
    const data = Object.fromEntries(awkward.map((value, index) => [`k${index}`, value]));
    const binaryData = { bytes: Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte)).toString("base64") };
    const annotations = { "example.com/note": awkward.join("\u0001") };
    const made = await plane.request("alice", "POST", configMaps, {
      metadata: { name: "awkward", annotations },
      data,
      binaryData,
    });
    expect(made.status).toBe(201);
    expect(made.json()["data"]).toEqual(data);
    expect(await told("configmaps", "default/awkward", 1)).toEqual([["CREATE", "exact", "alice"]]);
    const text = await readFileAt(kubescribe.repository, "main", "cluster/default/core/configmaps/awkward.yaml");
    for (const version of ["1.1", "1.2"] as const)
      expect(parse(text, { version })).toEqual({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "awkward", namespace: "default", annotations },
        data,
        binaryData,
      });
  });

  test("the history is sound", async () => {
    await kubescribe.assertSound();
  });
});

const controls = Array.from({ length: 32 }, (_, code) => String.fromCodePoint(code)).join("");
const awkward = [
  "",
  " ",
  "\n",
  "\n\n",
  " leading and trailing ",
  "line\n",
  "line\n\n",
  "\n  indented first\nthen not\n",
  "one\ntwo\n  three\n\tfour",
  "carriage\r\nreturn\r",
  "tab\tand \\ back \\n slash",
  `"double" 'single' \`back\``,
  controls,
  "\u007f\u0080\u0085\u00a0\u2028\u2029\ufeff\ufffe\uffff",
  "\u{1f600} \u{10ffff} e\u0301 \u00e9",
  "<&> </script>",
  "yes",
  "No",
  "null",
  "~",
  "true",
  "0",
  "0x1F",
  "0o17",
  "017",
  "1e3",
  "1_000",
  "12:30:45",
  "2001-01-01",
  ".inf",
  "NaN",
  "-",
  "- a",
  "a: b",
  "a #b",
  "# c",
  "---",
  "...",
  "--- |\n a",
  "{a}",
  "[a]",
  "*a",
  "&a",
  "!a",
  "%a",
  "@a",
  "|",
  ">",
  "? a",
  "=",
  "<<",
  "x".repeat(500),
  "word ".repeat(60),
];
