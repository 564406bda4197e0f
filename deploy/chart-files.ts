/** The files of deploy/chart that are written, and not by hand. */

import { existsSync, readFileSync } from "node:fs";
import { installationDocuments } from "../src/manifests/installation.ts";
import { chartText } from "./chart-text.ts";
import { valuesSchemaText, valuesText } from "./chart-values.ts";

/** Texts by their paths below deploy/chart. */
export function chartFiles(): ReadonlyMap<string, string> {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  const documents = installationDocuments();
  const templates = [...new Set(documents.map(({ file }) => file))].map((file) => {
    return [`templates/${file}.yaml`, chartText(documents.filter((document) => document.file === file))] as const;
  });
  return new Map([
    ["Chart.yaml", chartOf(version)],
    ["values.yaml", valuesText(version)],
    ["values.schema.json", valuesSchemaText()],
    // A template that is all of `kubescribe install`, and nothing of a chart.
    ...templates.filter(([, text]) => text.trim() !== ""),
    ...copied(["alerts.yaml", "dashboard.json"]),
  ]);
}

/** A chart reads no file outside of it. */
function copied(names: readonly string[]): readonly (readonly [string, string])[] {
  return names.flatMap((name) => {
    const source = new URL(name, import.meta.url);
    return existsSync(source) ? [[`files/${name}`, readFileSync(source, "utf8")] as const] : [];
  });
}

function chartOf(version: string): string {
  return `# Written by deploy/write-chart.ts, as is everything else here but NOTES.txt.
apiVersion: v2
name: kubescribe
description: Git says who changed what in your Kubernetes cluster.
type: application
version: ${version}
appVersion: "${version}"
`;
}
