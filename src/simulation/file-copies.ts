/** A second tree of the same files. Owns which node stands for which: each is copied once, by whatever names and operations it is known. */

import { type Content, type DirectoryNode, type FileNode, newDirectory } from "./file-node.ts";
import type { Operation } from "./unsynced.ts";

export class FileCopies {
  readonly #nodes = new Map<FileNode, FileNode>();
  readonly #contents = new Map<Content, Content>();

  directory(node: DirectoryNode): DirectoryNode {
    const known = this.#nodes.get(node);
    if (known?.kind === "directory") return known;
    const copied = newDirectory();
    this.#nodes.set(node, copied);
    for (const [name, each] of node.now) copied.now.set(name, this.#node(each));
    for (const [name, each] of node.onDisk) copied.onDisk.set(name, this.#node(each));
    return copied;
  }

  operation(operation: Operation): Operation {
    if (operation.kind === "written") return { ...operation, content: this.#content(operation.content) };
    const names = operation.names.map(({ directory, name, node }) => ({
      directory: this.directory(directory),
      name,
      node: node === null ? null : this.#node(node),
    }));
    return { kind: "named", names };
  }

  #node(node: FileNode): FileNode {
    if (node.kind === "directory") return this.directory(node);
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const copied: FileNode = { kind: "file", content: this.#content(node.content) };
    this.#nodes.set(node, copied);
    return copied;
  }

  #content(content: Content): Content {
    const known = this.#contents.get(content) ?? content.copy();
    this.#contents.set(content, known);
    return known;
  }
}
