/** Looks at the rules that a cluster holds: are they right, and which types and Secrets do they name. */

import type { ResourceType } from "../../machines/messages.ts";
import { checkDocuments } from "../config/check-documents.ts";
import { compileRules } from "../config/compile-rules.ts";
import { decodeDocuments } from "../config/decode-documents.ts";
import type { RuleDocument } from "../config/documents.ts";
import { problemLine } from "../config/problem.ts";
import { group, ruleResources } from "../manifests/names.ts";
import type { Inquiry, Json } from "./cluster-inquiry.ts";
import type { Finding } from "./finding.ts";

export interface RulesFound {
  readonly findings: readonly Finding[];
  /** What the rules name. */
  readonly types: readonly ResourceType[];
  /** `namespace/name`, of GitRepoConfigs. */
  readonly secrets: readonly string[];
}

const about = "rules";
const kinds = ["GitRepoConfig", "WatchRule", "ClusterWatchRule"];

/** `served`: as compileRules takes it. */
export async function checkRules(inquiry: Inquiry, served: readonly ResourceType[]): Promise<RulesFound> {
  const documents: RuleDocument[] = [];
  const findings: Finding[] = [];
  for (const [index, resource] of ruleResources.entries()) {
    const { status, body } = await inquiry.get(`/apis/${group}/v1alpha1/${resource}`);
    // Where the type is not there, another finding says so.
    if (status === 404) return { findings: [], types: [], secrets: [] };
    if (status !== 200)
      findings.push({ state: "note", about, detail: `${resource} cannot be listed (status ${status})` });
    for (const item of body.at("items").items) {
      const decoded = decode(item, kinds[index] ?? "");
      documents.push(...decoded.documents);
      findings.push(...decoded.findings);
    }
  }
  for (const problem of checkDocuments(documents))
    findings.push({ state: "lacks", about, detail: withoutPlace(problemLine(problem)) });
  if (documents.length === 0 && findings.length === 0) {
    const advice = "Apply a GitRepoConfig and a ClusterWatchRule: docs/CONFIGURATION.md has them.";
    return { findings: [{ state: "lacks", about, detail: "there are none", advice }], types: [], secrets: [] };
  }
  const compiled = compileRules(documents, served);
  for (const warning of compiled.warnings)
    findings.push({ state: "note", about, detail: withoutPlace(problemLine(warning)) });
  if (findings.length === 0) findings.push({ state: "ok", about, detail: `${documents.length} documents` });
  const secrets = compiled.targets.flatMap(({ config }) => config.remote?.secret ?? []);
  return { findings, types: compiled.watchedTypes, secrets: [...new Set(secrets)] };
}

function decode(
  item: Json,
  kind: string,
): { readonly documents: readonly RuleDocument[]; readonly findings: readonly Finding[] } {
  const namespace = item.at("metadata", "namespace").text;
  const title = `${kind} ${namespace === "" ? "" : `${namespace}/`}${item.at("metadata", "name").text}`;
  const whole = { apiVersion: `${group}/v1alpha1`, kind, ...(item.value as object) };
  const { documents, problems } = decodeDocuments(JSON.stringify(whole), title);
  const wrong = problems.map((problem) => ({
    state: "lacks" as const,
    about,
    detail: withoutPlace(problemLine(problem)),
  }));
  return { documents, findings: [...wrong, ...complaints(item, title)] };
}

/** What the process says of it. */
function complaints(item: Json, title: string): readonly Finding[] {
  return item
    .at("status", "conditions")
    .items.filter((condition) => condition.at("status").text === "False")
    .map((condition) => {
      const detail = `${title} is not ${condition.at("type").text}: ${condition.at("message").text}`;
      return { state: "lacks", about, detail } as const;
    });
}

/** Lines and columns of JSON that nobody wrote say nothing. */
function withoutPlace(line: string): string {
  return line.replace(/^([A-Za-z]+ [^:]+):\d+:\d+: /, "$1: ");
}
