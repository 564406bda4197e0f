/** Our files in the tree of a branch, as a flush reads and writes them. Owns nothing: the tree cache and the pack are the flush's. */

import type { ResourceType } from "../../machines/messages.ts";
import {
  decodePathPart,
  type FilePath,
  namespaceDirectoryOf,
  namespaceOf,
  type ResourceName,
  resourcePartOf,
  typeDirectoriesOf,
} from "./layout.ts";
import type { PackBuilder } from "./pack.ts";
import type { PreparedObject } from "./prepare.ts";
import type { TreeCache } from "./tree-cache.ts";
import { directoryMode } from "./tree-node.ts";

export interface BranchFile {
  readonly path: FilePath;
  readonly resource: ResourceName;
}

export interface BranchFilesOptions {
  readonly tree: TreeCache;
  readonly pack: PackBuilder;
  readonly prefix: readonly string[];
}

export class BranchFiles {
  readonly #options: BranchFilesOptions;
  #faults = 0;

  constructor(options: BranchFilesOptions) {
    this.#options = options;
  }

  /** Files that were written as their object came, because it could not be read. */
  get faults(): number {
    return this.#faults;
  }

  async has(path: FilePath): Promise<boolean> {
    return (await this.#treeAt(path.directories)).get(path.directories, path.file) !== null;
  }

  /** False where the file has these bytes. */
  async writeObject(path: FilePath, object: PreparedObject): Promise<boolean> {
    if (!(await this.write(path, object.id))) return false;
    this.#options.pack.addPacked(object);
    if (object.faulted) this.#faults += 1;
    return true;
  }

  /** False where the file has these bytes. */
  async write({ directories, file }: FilePath, id: Buffer): Promise<boolean> {
    const tree = await this.#treeAt(directories);
    if (tree.get(directories, file)?.equals(id) === true) return false;
    tree.set(directories, file, id);
    return true;
  }

  /** False where there is none. */
  async remove({ directories, file }: FilePath): Promise<boolean> {
    return (await this.#treeAt(directories)).delete(directories, file);
  }

  /** Those of one type in the namespaces that are asked for; the empty one has what is cluster-scoped. */
  async ofType(type: ResourceType, asked: (namespace: string) => boolean): Promise<readonly BranchFile[]> {
    const { tree, prefix } = this.#options;
    const found: BranchFile[] = [];
    await tree.load(prefix);
    for (const { name: directory, mode } of tree.entries(prefix)) {
      const namespace = namespaceOf(directory);
      if (mode !== directoryMode || namespaceDirectoryOf(namespace) !== directory) continue;
      if (!asked(namespace)) continue;
      const directories = typeDirectoriesOf(prefix, directory, type);
      await tree.load(directories);
      for (const { name: file } of tree.entries(directories)) {
        const part = resourcePartOf(file);
        if (part === null) continue;
        found.push({ path: { directories, file }, resource: { namespace, name: decodePathPart(part) } });
      }
    }
    return found;
  }

  async #treeAt(directories: readonly string[]): Promise<TreeCache> {
    const { tree } = this.#options;
    if (!tree.isLoaded(directories)) await tree.load(directories);
    return tree;
  }
}
