/** From argv to what is to be installed. Every wrong option is reported, not just the first. */

import { installOptionTable } from "../config/install-option-table.ts";
import { isName, isNamespace, nameExpected, namespaceExpected } from "../config/kubernetes-names.ts";
import { didYouMean } from "../config/nearest.ts";
import { runOptionTable } from "../config/option-table.ts";
import type { ParsedOptions } from "../config/parse-options.ts";
import { parseOptions } from "../config/parse-options.ts";
import { configurationError, quoted } from "../config/problem.ts";
import type { InstallValues, SecretName } from "../manifests/install-values.ts";
import { typesRead } from "./install-types.ts";

export interface InstallOptions {
  readonly values: InstallValues;
  readonly check: boolean;
  /** Absolute path; null: where kubectl would look. */
  readonly kubeconfig: string | null;
}

export interface InstallSettings {
  /** What relative paths are relative to. */
  readonly cwd: string;
  /** Of this kubescribe: its image has the same. */
  readonly version: string;
}

/** Throws a KubescribeError (`configuration-invalid`). */
export function parseInstallOptions(argv: readonly string[], { cwd, version }: InstallSettings): InstallOptions {
  const end = argv.indexOf("--");
  const own = end === -1 ? argv : argv.slice(0, end);
  const parsed = parseOptions(own, { table: installOptionTable, cwd });
  const problems: string[] = [];
  const complain = (option: string, message: string): void => void problems.push(`--${option} ${message}`);
  const values: InstallValues = {
    namespace: parsed.text("namespace"),
    image: parsed.textOrNull("image") ?? `kubescribe:${version}`,
    replicas: parsed.number("replicas"),
    certificates: oneOf(["self", "cert-manager", "files"], parsed.text("certificates")),
    storage: oneOf(["none", "pvc"], parsed.text("storage")),
    storageSize: parsed.text("storage-size"),
    storageClass: parsed.textOrNull("storage-class") ?? "",
    cpu: parsed.text("cpu"),
    memory: parsed.text("memory"),
    memoryLimit: parsed.text("memory-limit"),
    watch: typesRead(wordsOf(parsed, "watch"), (message) => complain("watch", message)),
    gitSecrets: wordsOf(parsed, "git-secrets").flatMap((word) => secretIn(word, complain)),
    networkPolicy: wordsOf(parsed, "network-policy"),
    serviceMonitor: parsed.flag("service-monitor"),
    prometheusRule: parsed.flag("prometheus-rule"),
    dashboard: parsed.flag("dashboard"),
    args: end === -1 ? [] : argv.slice(end + 1),
    pod: {},
  };
  checkValues(values, complain);
  for (const arg of values.args) checkArg(arg, problems);
  if (problems.length > 0) throw configurationError(problems.map((message) => ({ place: null, path: "", message })));
  return { values, check: parsed.flag("check"), kubeconfig: parsed.textOrNull("kubeconfig") };
}

type Complain = (option: string, message: string) => void;

const cpuExpected = "CPUs such as 100m or 2";
const sizeExpected = "a size such as 256Mi or 10Gi";

function checkValues(values: InstallValues, complain: Complain): void {
  const { namespace, image, replicas, storage, storageSize, storageClass, cpu, memory, memoryLimit } = values;
  const expect = (
    option: string,
    found: string,
    rule: { readonly holds: boolean; readonly expected: string },
  ): void => {
    if (!rule.holds) complain(option, `expected ${rule.expected}, found ${quoted(found)}`);
  };
  expect("namespace", namespace, { holds: isNamespace(namespace), expected: namespaceExpected });
  const imageExpected = "the reference of an image, such as registry.example.com/kubescribe:1.0";
  expect("image", image, { holds: /^[\w.:/@-]{1,500}$/.test(image), expected: imageExpected });
  expect("cpu", cpu, { holds: /^(?:[1-9][0-9]*m?|[0-9]+\.[0-9]{1,3})$/.test(cpu), expected: cpuExpected });
  expect("memory", memory, { holds: bytesOf(memory) > 0, expected: sizeExpected });
  expect("memory-limit", memoryLimit, { holds: bytesOf(memoryLimit) > 0, expected: sizeExpected });
  expect("storage-size", storageSize, { holds: bytesOf(storageSize) > 0, expected: sizeExpected });
  if (storageClass !== "")
    expect("storage-class", storageClass, { holds: isName(storageClass), expected: nameExpected });
  if (bytesOf(memory) > bytesOf(memoryLimit) && bytesOf(memoryLimit) > 0)
    complain("memory-limit", `expected at least what --memory requests (${memory}), found ${memoryLimit}`);
  if (storage === "pvc" && replicas > 1)
    complain("replicas", `expected 1 with --storage pvc, found ${replicas}: a volume is held by one pod at a time`);
  for (const cidr of values.networkPolicy) {
    const expected = "addresses of the API server as 10.0.0.1/32";
    expect("network-policy", cidr, { holds: isCidr(cidr), expected });
  }
}

/** What `install` itself tells the process. */
const taken =
  "installation namespace pod-name pod-address kubeconfig certificates webhook-dir credentials-dir data-dir tls-cert-file tls-key-file " +
  "admission-address metrics-address";

function checkArg(arg: string, problems: string[]): void {
  const name = /^--([a-z-]+)(?:=|$)/.exec(arg)?.[1];
  const known = runOptionTable.map((option) => option.name);
  if (name === undefined)
    problems.push(`after --, expected options of "kubescribe run" as --NAME=VALUE, found ${quoted(arg)}`);
  else if (taken.split(" ").includes(name))
    problems.push(`after --, found --${name}, which the manifests set themselves: leave it out`);
  else if (!known.includes(name))
    problems.push(`after --, "kubescribe run" knows no option ${quoted(`--${name}`)}.${didYouMean(name, known, "--")}`);
}

function secretIn(word: string, complain: Complain): readonly SecretName[] {
  const [namespace = "", name = "", ...more] = word.split("/");
  if (more.length === 0 && isNamespace(namespace) && isName(name)) return [{ namespace, name }];
  complain("git-secrets", `expected NAMESPACE/NAME of a Secret, found ${quoted(word)}`);
  return [];
}

function wordsOf(parsed: ParsedOptions, name: string): readonly string[] {
  const text = parsed.textOrNull(name) ?? "";
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/** Zero: it is no size. */
function bytesOf(text: string): number {
  const match = /^([0-9]{1,12})(Ki|Mi|Gi|Ti)?$/.exec(text);
  const power = ["", "Ki", "Mi", "Gi", "Ti"].indexOf(match?.[2] ?? "");
  return match === null ? 0 : Number(match[1]) * 1024 ** power;
}

function isCidr(text: string): boolean {
  const [address = "", bits = "", ...more] = text.split("/");
  if (more.length > 0 || !/^[0-9]{1,3}$/.test(bits)) return false;
  const bytes = /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(address) ? address.split(".") : null;
  if (bytes !== null) return Number(bits) <= 32 && bytes.every((byte) => Number(byte) <= 255);
  return Number(bits) <= 128 && address.includes(":") && URL.canParse(`http://[${address}]/`);
}

function oneOf<Word extends string>(words: readonly [Word, ...Word[]], text: string): Word {
  return words.find((word) => word === text) ?? words[0];
}
