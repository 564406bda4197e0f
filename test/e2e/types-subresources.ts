/** What writes an object through a side door, and what its commits then say: subresources, deletecollection, generateName (K10, K16 to K18). */

import type { ApiResponse } from "../controlplane/api-client.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import type { Commit } from "./history.ts";
import type { Kubescribe } from "./kubescribe.ts";
import { namespace } from "./types-catalogue.ts";

interface Step {
  readonly user: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly contentType?: string;
}

export interface Story {
  readonly title: string;
  /** Path of the object whose commits are told; written first by alice, last by dave, who annotates or deletes it. */
  readonly collection: string;
  readonly name: string;
  readonly object: object;
  readonly steps: readonly Step[];
  readonly last: "annotate" | "delete" | "nothing";
  /** `OPERATION tier user`, all of them. */
  readonly told: readonly string[];
}

const core = `/api/v1/namespaces/${namespace}`;
const pods = `${core}/pods`;
const strategic = "application/strategic-merge-patch+json";
const pod = {
  spec: { containers: [{ name: "main", image: "example.com/none:1", resources: { requests: { cpu: "1" } } }] },
};
const created = "CREATE exact alice";
const annotated = "UPDATE exact dave";
const deleted = "DELETE delete dave";

export const stories: readonly Story[] = [
  {
    title: "an ephemeral container has no place in a file, and the chain goes on",
    collection: pods,
    name: "debugged",
    object: pod,
    steps: [
      {
        user: "bob",
        method: "PATCH",
        path: `${pods}/debugged/ephemeralcontainers`,
        body: { spec: { ephemeralContainers: [{ name: "debug", image: "example.com/debug:1" }] } },
        contentType: strategic,
      },
    ],
    last: "annotate",
    told: [created, annotated],
  },
  {
    title: "a resize is its author's",
    collection: pods,
    name: "resized",
    object: pod,
    steps: [
      {
        user: "bob",
        method: "PATCH",
        path: `${pods}/resized/resize`,
        body: { spec: { containers: [{ name: "main", resources: { requests: { cpu: "2" } } }] } },
        contentType: strategic,
      },
    ],
    last: "annotate",
    told: [created, "UPDATE exact bob", annotated],
  },
  {
    title: "a binding is an unreviewed update of nothing that a file holds (K18)",
    collection: pods,
    name: "bound",
    object: pod,
    steps: [
      {
        user: "carol",
        method: "POST",
        path: `${pods}/bound/binding`,
        body: {
          apiVersion: "v1",
          kind: "Binding",
          metadata: { name: "bound" },
          target: { kind: "Node", name: "none" },
        },
      },
    ],
    last: "annotate",
    told: [created, annotated],
  },
  {
    title: "an eviction is a deletion that nobody was asked about (K18)",
    collection: pods,
    name: "evicted",
    object: pod,
    steps: [
      {
        user: "carol",
        method: "POST",
        path: `${pods}/evicted/eviction`,
        body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "evicted", namespace } },
      },
    ],
    last: "nothing",
    told: [created, "DELETE unresolved unresolved"],
  },
  {
    title: "a token is no change of its account",
    collection: `${core}/serviceaccounts`,
    name: "tokened",
    object: {},
    steps: [
      {
        user: "bob",
        method: "POST",
        path: `${core}/serviceaccounts/tokened/token`,
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } },
      },
    ],
    last: "annotate",
    told: [created, annotated],
  },
  {
    title: "a Namespace is its own (K22), and goes with the request, not with its finalizer",
    collection: "/api/v1/namespaces",
    name: "types-finalized",
    object: {},
    steps: [{ user: "bob", method: "PATCH", path: "/api/v1/namespaces/types-finalized", body: labels("bob") }],
    last: "delete",
    told: [created, "UPDATE exact bob", deleted],
  },
  {
    title: "a scale to 0 leaves out the number (K40), one to the same number changes nothing",
    collection: `/apis/apps/v1/namespaces/${namespace}/replicasets`,
    name: "scaled",
    object: {
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "s" } },
        template: { metadata: { labels: { app: "s" } }, ...pod },
      },
    },
    steps: [0, 0].map((replicas, index) => ({
      user: index === 0 ? "bob" : "carol",
      method: "PATCH",
      path: `/apis/apps/v1/namespaces/${namespace}/replicasets/scaled/scale`,
      body: { spec: { replicas } },
    })),
    last: "delete",
    told: [created, "UPDATE scale bob", deleted],
  },
  {
    title: "a deletecollection is one deletion for each, by whoever asked (K10)",
    collection: `${core}/configmaps`,
    name: "collected",
    object: { ...labels("collected") },
    steps: [{ user: "dave", method: "DELETE", path: `${core}/configmaps?labelSelector=written-by%3Dcollected` }],
    last: "nothing",
    told: [created, deleted],
  },
];

/** The commits of each story's object, as they are told in `told`. */
export async function tell(
  plane: ControlPlane,
  kubescribe: Kubescribe,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const uids = new Map<string, string>();
  for (const story of stories) uids.set(story.title, await enact(plane, story));
  const told = (commits: readonly Commit[], { title }: Story): readonly string[] =>
    commits
      .filter(({ uid }) => uid === uids.get(title))
      .map(({ operation, tier, user }) => `${operation} ${tier} ${user}`);
  const complete = async (): Promise<true | undefined> => {
    const commits = await kubescribe.commits();
    return stories.every((story) => told(commits, story).length >= story.told.length) ? true : undefined;
  };
  // What is missing is shown by what is told.
  await eventually(complete, { everyMs: 300, timeoutMs: 20_000 }).catch(() => undefined);
  const commits = await kubescribe.commits();
  return new Map(stories.map((story) => [story.title, told(commits, story)]));
}

/** A name that the API server made up is reviewed with it (K9). Resolves to what was asked for and what is told. */
export async function generate(plane: ControlPlane, kubescribe: Kubescribe): Promise<readonly Commit[]> {
  const body = { metadata: { generateName: "generated-" } };
  const made = await sent(plane, { user: "carol", method: "POST", path: `${core}/configmaps`, body });
  const { name } = made.json()["metadata"] as { readonly name: string };
  return kubescribe.waitForCommits("configmaps", `${namespace}/${name}`, 1);
}

async function enact(plane: ControlPlane, { collection, name, object, steps, last }: Story): Promise<string> {
  const metadata = { ...(object as { readonly metadata?: object }).metadata, name };
  const made = await sent(plane, { user: "alice", method: "POST", path: collection, body: { ...object, metadata } });
  for (const step of steps) await sent(plane, step);
  const path = `${collection}/${name}`;
  if (last === "annotate") {
    await sent(plane, { user: "dave", method: "PATCH", path, body: { metadata: { annotations: { by: "dave" } } } });
  } else if (last === "delete") await sent(plane, { user: "dave", method: "DELETE", path });
  return (made.json()["metadata"] as { readonly uid: string }).uid;
}

async function sent(plane: ControlPlane, { user, method, path, body, contentType }: Step): Promise<ApiResponse> {
  const headers = contentType === undefined ? {} : { "content-type": contentType };
  const answer = await plane.request(user, method, path, body, { headers });
  if (answer.status >= 300) throw new Error(`${method} ${path} was refused: ${answer.text}`);
  return answer;
}

function labels(by: string): { readonly metadata: object } {
  return { metadata: { labels: { "written-by": by } } };
}
