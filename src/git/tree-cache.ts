/**
 * The tree of a branch's head in memory, as git's own bytes: a change rewrites only the trees on its path.
 *
 * Owns one node for each directory that was looked into; its bound is the number of directories and files of the branch.
 * After a failed flush the cache is dropped, not mended.
 */

import { fileMode, type TreeEntry, TreeNode, type TreeSink } from "./tree-node.ts";

export interface TreeSource {
  /** The body of a tree object. */
  readTree(id: string): Promise<Buffer>;
}

export class TreeCache {
  readonly #source: TreeSource;
  #root: TreeNode;

  private constructor(source: TreeSource, root: TreeNode) {
    this.#source = source;
    this.#root = root;
  }

  /** An empty `rootId` is an empty tree. */
  static async read(source: TreeSource, rootId: string): Promise<TreeCache> {
    return new TreeCache(source, new TreeNode(rootId === "" ? Buffer.alloc(0) : await source.readTree(rootId)));
  }

  /** True when `get`, `set`, `delete` and `entries` may be asked for this directory without `load`. */
  isLoaded(directories: readonly string[]): boolean {
    let node = this.#root;
    for (const name of directories) {
      const child = node.children.get(name);
      if (child === undefined) return node.indexOf(`${name}/`) < 0;
      node = child;
    }
    return true;
  }

  async load(directories: readonly string[]): Promise<void> {
    let node = this.#root;
    for (const name of directories) {
      let child = node.children.get(name);
      if (child === undefined) {
        const at = node.indexOf(`${name}/`);
        if (at < 0) return;
        child = new TreeNode(await this.#source.readTree(node.idAt(at).toString("hex")));
        node.children.set(name, child);
      }
      node = child;
    }
  }

  /** The id of a file, or null; anything that is not a plain file counts as absent. */
  get(directories: readonly string[], name: string): Buffer | null {
    const node = this.#find(directories);
    const at = node === null ? -1 : node.indexOf(name);
    return node === null || at < 0 || node.modeAt(at) !== fileMode ? null : node.idAt(at);
  }

  set(directories: readonly string[], name: string, id: Uint8Array): void {
    let node = this.#root;
    node.changed = true;
    for (const directory of directories) {
      node = node.child(directory);
      node.changed = true;
    }
    node.drop(`${name}/`);
    node.put(name, fileMode, id);
  }

  /** Directories that this empties go too. False when there was nothing. */
  delete(directories: readonly string[], name: string): boolean {
    const path = [this.#root];
    for (const directory of directories) {
      const child = path.at(-1)?.children.get(directory);
      if (child === undefined) return false;
      path.push(child);
    }
    if (path.at(-1)?.drop(name) !== true) return false;
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const node = path[depth];
      if (node === undefined) continue;
      node.changed = true;
      if (node.size === 0 && depth > 0) path[depth - 1]?.drop(`${directories[depth - 1] ?? ""}/`);
    }
    return true;
  }

  entries(directories: readonly string[]): readonly TreeEntry[] {
    return this.#find(directories)?.entries() ?? [];
  }

  /** Adds every changed tree to `sink`; returns the root's id. */
  write(sink: TreeSink): Buffer {
    return this.#root.write(sink);
  }

  #find(directories: readonly string[]): TreeNode | null {
    let node = this.#root;
    for (const name of directories) {
      const child = node.children.get(name);
      if (child === undefined) return null;
      node = child;
    }
    return node;
  }
}
