/** Histories as `run` writes them, as streams for `git fast-import`: a snapshot, then changes of one file each. */

export interface HistoryShape {
  readonly resources: number;
  readonly namespaces: number;
  readonly changes: number;
}

export interface Stretch {
  readonly from: number;
  readonly count: number;
  readonly random: () => number;
}

/** One change in so many is of the first resource. */
const hotEvery = 20;
const firstSecond = 1_700_000_000;
const cluster = "0d5a6f0e-0000-4000-8000-000000000001";
const kubescribe = "kubescribe <kubescribe@kubescribe.invalid>";

export function fileOf(shape: HistoryShape, resource: number): string {
  return `clusters/${namespaceOf(shape, resource)}/apps/deployments/web-${resource}.yaml`;
}

function namespaceOf({ namespaces }: HistoryShape, resource: number): string {
  return `team-${resource % namespaces}`;
}

export function snapshotStream(shape: HistoryShape): Buffer {
  const message = `Snapshot of apps/deployments\n\nKubescribe-Kind: snapshot\nKubescribe-Cluster: ${cluster}\n`;
  const files = Array.from({ length: shape.resources }, (_, resource) => fileText(shape, resource, 1));
  return Buffer.from(commitText({ author: kubescribe, second: firstSecond, message, from: "" }) + files.join(""));
}

export function changesStream(shape: HistoryShape, { from, count, random }: Stretch): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, at) => {
      const change = from + at + 1;
      const resource = change % hotEvery === 0 ? 0 : Math.floor(random() * shape.resources);
      const user = `user-${change % 40}@example.com`;
      const name = `${namespaceOf(shape, resource)}/web-${resource}`;
      const message = `Update deployments.apps ${name}\n\n${trailersOf({ name, user, change, resource })}`;
      const head = { author: `${user} <${user}>`, second: firstSecond + change, message, from: at === 0 ? "main" : "" };
      return Buffer.from(commitText(head) + fileText(shape, resource, change));
    }),
  );
}

interface ChangeText {
  readonly name: string;
  readonly user: string;
  readonly change: number;
  readonly resource: number;
}

function trailersOf({ name, user, change, resource }: ChangeText): string {
  return `Changed-By: ${user}
Kubescribe-Resource: apps/v1/deployments ${name}
Kubescribe-Uid: 4be52ede-8d02-46d4-8af7-${String(resource).padStart(12, "0")}
Kubescribe-Resource-Version: ${100_000 + change}
Kubescribe-Operation: UPDATE
Kubescribe-Attribution: exact
Kubescribe-Field-Manager: kubectl-client-side-apply
Kubescribe-Cluster: ${cluster}
`;
}

interface CommitHead {
  readonly author: string;
  readonly second: number;
  readonly message: string;
  /** A branch whose tip is the parent; empty: the commit before it in the stream, or none. */
  readonly from: string;
}

function commitText({ author, second, message, from }: CommitHead): string {
  const parent = from === "" ? "" : `from refs/heads/${from}^0\n`;
  return `commit refs/heads/main
author ${author} ${second} +0000
committer ${kubescribe} ${second} +0000
data ${message.length}
${message}
${parent}`;
}

/** Some 1.5 KB, of which a change changes one line. */
function fileText(shape: HistoryShape, resource: number, replicas: number): string {
  const settings = Array.from({ length: 28 }, (_, at) => {
    return `        - name: SETTING_${at}\n          value: "${(resource * 7919 + at * 104_729) % 1_000_003}"\n`;
  });
  const yaml = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-${resource}
  namespace: ${namespaceOf(shape, resource)}
spec:
  replicas: ${replicas}
  template:
    spec:
      containers:
      - env:
${settings.join("")}        image: web:1
        name: web
`;
  return `M 100644 inline ${fileOf(shape, resource)}\ndata ${yaml.length}\n${yaml}\n`;
}
