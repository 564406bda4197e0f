/** Rule documents as custom resources: a real API server judges them as files are judged, and says what was expected. */

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeDocuments } from "../../src/config/decode-documents.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { check, suite } from "../property/check.ts";
import { corpus, documentOf, type Sample } from "../manifests/corpus.ts";
import { drawnDocument, drawnUrl } from "../manifests/drawn-documents.ts";
import { install } from "./installation.ts";

const plurals = { GitRepoConfig: "gitrepoconfigs", WatchRule: "watchrules", ClusterWatchRule: "clusterwatchrules" };
const api = "/apis/kubescribe.dev/v1alpha1";

suite("rule documents as custom resources", () => {
  let plane: ControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane({ numberedUsers: 0 });
    const definitions = install([]).objects.filter(({ kind }) => kind === "CustomResourceDefinition");
    const { code, stderr } = await plane.kubectl("admin", ["apply", "-f", "-"], JSON.stringify(listOf(definitions)));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    await eventually(async () =>
      (await plane.request("admin", "GET", pathOf("GitRepoConfig"))).status === 200 ? true : undefined,
    );
    await eventually(async () =>
      (await plane.request("admin", "GET", pathOf("ClusterWatchRule"))).status === 200 ? true : undefined,
    );
  });

  afterAll(() => plane[Symbol.asyncDispose]());

  async function judged(sample: Sample): Promise<string> {
    // As kubectl asks: an unknown field is an error.
    const query = "?dryRun=All&fieldValidation=Strict";
    const { status, text } = await plane.request("admin", "POST", `${pathOf(sample.kind)}${query}`, documentOf(sample));
    return status === 201 ? "" : (JSON.parse(text) as { readonly message: string }).message;
  }

  test.each(corpus.map((sample) => [sample.name, sample] as const))("%s", async (_name, sample) => {
    const said = await judged(sample);
    if (sample.file === "") expect(said).toBe("");
    else expect(said).toContain(sample.cluster ?? sample.file);
  });

  const takenAsFile = (sample: Sample): boolean =>
    decodeDocuments(JSON.stringify(documentOf(sample)), "drawn.json").problems.length === 0;

  test("drawn documents are judged alike", async () => {
    const alike = fc.asyncProperty(drawnDocument, async (sample) => {
      const said = await judged(sample);
      expect({ taken: said === "", said }).toEqual({ taken: takenAsFile(sample), said });
    });
    await check(alike, { runs: 500 });
  });

  // What only a parser of URLs can tell is told by the process.
  test("every URL that a file may have, a custom resource may have", async () => {
    const notStricter = fc.asyncProperty(drawnUrl, async (sample) => {
      if (takenAsFile(sample)) expect(await judged(sample)).toBe("");
    });
    await check(notStricter, { runs: 500 });
  });

  test("a password is not repeated", async () => {
    const found = corpus.find(({ name }) => name === "url with a password");
    expect(found).toBeDefined();
    if (found !== undefined) expect(await judged(found)).not.toContain("me:pw");
  });

  test("defaults are filled in, and columns tell what matters", async () => {
    const repository = documentOf({
      name: "",
      kind: "GitRepoConfig",
      spec: { url: "https://git.example.com/a.git" },
      file: "",
    });
    const created = await plane.request("admin", "POST", pathOf("GitRepoConfig"), repository);
    expect(created.json()).toMatchObject({ spec: { url: "https://git.example.com/a.git", branch: "main" } });
    const status = {
      conditions: ["Ready", "Synced", "Pushed"].map((type) => ({
        type,
        status: "True",
        reason: "Fine",
        message: "All is well.",
        lastTransitionTime: "2026-01-02T03:04:05Z",
        observedGeneration: 1,
      })),
      observedGeneration: 1,
      lastCommit: "466934f0c8a1c2a7a0b8e3b9d6a5f4e3d2c1b0a9",
      lastCommitTime: "2026-01-02T03:04:05Z",
      lastPushTime: "2026-01-02T03:04:05Z",
      unpushedCommits: 0,
      verdicts: { exact: 12, unresolved: 1 },
    };
    const path = `${pathOf("GitRepoConfig")}/sample`;
    const patched = await plane.request("admin", "PATCH", `${path}/status?fieldValidation=Strict`, { status });
    expect(patched.json()).toMatchObject({ status });
    // A status does not come by the main resource, nor a spec by the status.
    await plane.request("admin", "PATCH", path, { status: { unpushedCommits: 9 } });
    expect((await plane.request("admin", "GET", path)).json()).toMatchObject({ status });
    const { stdout } = await plane.kubectl("admin", ["get", "grc", "sample"]);
    expect(stdout.replaceAll(/ +/g, " ")).toMatch(
      /^NAME URL BRANCH READY PUSHED COMMITTED AGE\nsample https:\/\/git.example.com\/a.git main True True \S+ \S+\n$/,
    );
  });

  test("kubectl explains every field", async () => {
    for (const resource of Object.values(plurals)) {
      const { code, stdout } = await plane.kubectl("admin", ["explain", resource, "--recursive"]);
      expect({ code, lacking: /<no description>/.test(stdout) }).toEqual({ code: 0, lacking: false });
    }
  });
});

function pathOf(kind: Sample["kind"]): string {
  return kind === "ClusterWatchRule" ? `${api}/${plurals[kind]}` : `${api}/namespaces/default/${plurals[kind]}`;
}

function listOf(items: readonly unknown[]): object {
  return { apiVersion: "v1", kind: "List", items };
}
