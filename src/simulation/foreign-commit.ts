/** A commit by somebody else, as `git push` leaves it: loose objects, then the ref, under its lock. */

import { deflateSync } from "node:zlib";
import type { Clock, FileSystem } from "../../actors/ports.ts";
import { readCommit } from "../git/history.ts";
import { ObjectReader } from "../git/object-reader.ts";
import type { ObjectType } from "../git/object.ts";
import { objectIdOf } from "../git/object.ts";
import { RefStore } from "../git/refs.ts";
import { TreeCache } from "../git/tree-cache.ts";

export interface ForeignCommit {
  readonly clock: Clock;
  readonly repository: string;
  readonly ref: string;
  /** At the root; empty: a commit that changes nothing. */
  readonly file: string;
  readonly text: string;
  readonly second: number;
}

export const foreigner = { name: "Somebody Else", email: "else@example.com" };

/** False: the branch does not exist yet, somebody holds its lock, or the disk does not do. */
export async function pushForeignCommit(files: FileSystem, commit: ForeignCommit): Promise<boolean> {
  const { clock, repository, ref } = commit;
  const refPath = `${repository}/${ref}`;
  try {
    const names = await files.list(refPath.slice(0, refPath.lastIndexOf("/")));
    const name = refPath.slice(refPath.lastIndexOf("/") + 1);
    if (!names.includes(name) || names.includes(`${name}.lock`)) return false;
    const head = Buffer.from(await files.readFile(refPath))
      .toString()
      .trim();
    const id = await write(files, commit, head);
    const refs = new RefStore({ fs: files, clock, gitDirectory: repository, sync: true });
    await refs.move(ref, { expected: head, id });
    return true;
  } catch {
    return false;
  }
}

async function write(files: FileSystem, commit: ForeignCommit, head: string): Promise<string> {
  const { repository, file, text, second } = commit;
  const loose: { readonly type: ObjectType; readonly body: Uint8Array }[] = [];
  const sink = {
    add(type: ObjectType, body: Uint8Array): Buffer {
      loose.push({ type, body });
      return objectIdOf(type, body);
    },
    addTree(body: Buffer): Buffer {
      return sink.add("tree", body);
    },
  };
  const reader = await ObjectReader.open(files, repository);
  let { tree } = await readCommit(reader, head);
  if (file !== "") {
    const cache = await TreeCache.read(reader, tree);
    cache.set([], file, sink.add("blob", Buffer.from(text)));
    tree = cache.write(sink).toString("hex");
  }
  const who = `${foreigner.name} <${foreigner.email}> ${second} +0000`;
  const message = `tree ${tree}\nparent ${head}\nauthor ${who}\ncommitter ${who}\n\nSomething else\n`;
  const id = sink.add("commit", Buffer.from(message)).toString("hex");
  for (const { type, body } of loose) await writeLoose(files, repository, { type, body });
  return id;
}

async function writeLoose(
  files: FileSystem,
  repository: string,
  { type, body }: { readonly type: ObjectType; readonly body: Uint8Array },
): Promise<void> {
  const id = objectIdOf(type, body).toString("hex");
  const directory = `${repository}/objects/${id.slice(0, 2)}`;
  await files.makeDirectory(directory);
  await files.syncDirectory(`${repository}/objects`);
  // As git does it: what is there already is never touched, and half of an object has no name.
  const temporary = `${directory}/tmp_obj_${id.slice(2, 8)}`;
  {
    await using file = await files.open(temporary, "create");
    await file.write(deflateSync(Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body])));
    await file.sync();
  }
  await files.rename(temporary, `${directory}/${id.slice(2)}`);
  await files.syncDirectory(directory);
}
