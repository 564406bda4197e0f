/** From the text of one file (or of one custom resource, as JSON) to rule documents and problems. */

import { LineCounter, parseAllDocuments } from "yaml";
import { decodeRepository } from "./decode-repository.ts";
import { decodeRule } from "./decode-rule.ts";
import type { Metadata, RuleDocument } from "./documents.ts";
import { apiVersion } from "./documents.ts";
import { Field } from "./field.ts";
import { isName, isNamespace, nameExpected, namespaceExpected } from "./kubernetes-names.ts";
import type { Problem } from "./problem.ts";
import { quoted } from "./problem.ts";

export interface Decoded {
  readonly documents: readonly RuleDocument[];
  readonly problems: readonly Problem[];
}

const unnamed: Metadata = { name: "unnamed", namespace: "" };

const kinds = ["GitRepoConfig", "WatchRule", "ClusterWatchRule"] as const;

export function decodeDocuments(text: string, file: string): Decoded {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const documents: RuleDocument[] = [];
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
  });
  for (const document of Array.isArray(parsed) ? parsed : []) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      problems.push({
        place: { file, line, column: col },
        path: "",
        message: `expected valid YAML: ${error.message}`,
      });
    }
    if (document.errors.length > 0) continue;
    const root = new Field(
      { file, document, lines, problems },
      { node: document.contents, path: "", offset: document.range[0] },
    );
    if (!root.present) continue;
    const before = problems.length;
    const decoded = decodeDocument(root);
    if (decoded !== null && problems.length === before) documents.push(decoded);
  }
  return { documents, problems };
}

function decodeDocument(root: Field): RuleDocument | null {
  // `status` and the server's metadata are there when a document was fetched from a cluster.
  const fields = root.fields({ known: ["apiVersion", "kind", "metadata", "spec", "status"] });
  if (fields.size === 0) return null;
  const version = fields.get("apiVersion");
  if (version === undefined) return root.problem(`apiVersion is missing: expected ${apiVersion}`);
  const versionText = version.string(apiVersion);
  if (versionText !== null && versionText !== apiVersion) {
    return version.problem(
      `expected ${apiVersion}, found ${quoted(versionText)}: only kubescribe's rule documents belong here`,
    );
  }
  const kind = fields.get("kind");
  if (kind === undefined) return root.problem(`kind is missing: expected one of ${kinds.join(", ")}`);
  const kindText = kind.oneOf(kinds);
  const metadata = decodeMetadata(root, fields.get("metadata"));
  const spec = fields.get("spec");
  if (spec === undefined) return root.problem("spec is missing");
  if (kindText === null) return null;
  // A wrong name hides no other mistake: what is decoded beside a problem is not used.
  const named = metadata ?? unnamed;
  return kindText === "GitRepoConfig" ? decodeRepository(spec, named) : decodeRule(spec, named, kindText);
}

function decodeMetadata(root: Field, field: Field | undefined): Metadata | null {
  if (field === undefined) return root.problem("metadata.name is missing");
  const fields = field.fields({ known: metadataFields });
  const name = fields.get("name");
  if (name === undefined) return field.problem("metadata.name is missing");
  const nameText = name.string(nameExpected);
  const namespace = fields.get("namespace");
  const namespaceText = namespace === undefined ? "" : namespace.string(namespaceExpected);
  if (nameText === null || namespaceText === null) return null;
  if (!isName(nameText)) return name.problem(`expected ${nameExpected}, found ${quoted(nameText)}`);
  if (namespaceText !== "" && !isNamespace(namespaceText)) {
    return namespace?.problem(`expected ${namespaceExpected}, found ${quoted(namespaceText)}`) ?? null;
  }
  return { name: nameText, namespace: namespaceText };
}

/** All of ObjectMeta: a document may come from `kubectl get -o yaml`. */
const metadataFields = [
  "name",
  "namespace",
  "labels",
  "annotations",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "finalizers",
  "ownerReferences",
  "managedFields",
  "selfLink",
  "generateName",
];
