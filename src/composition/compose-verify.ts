/** `kubescribe verify` with Node's clock, files and network. */

import { inquiryOf } from "../commands/cluster-inquiry.ts";
import type { CommandContext } from "../commands/command-line.ts";
import { exitDone } from "../commands/command-line.ts";
import { ProgressLine } from "../commands/demo-terminal.ts";
import { lookAt } from "../commands/look.ts";
import { verify, verifyHelp } from "../commands/verify.ts";
import { compileRules } from "../config/compile-rules.ts";
import type { RuleDocument } from "../config/documents.ts";
import { loadDocuments } from "../config/load-documents.ts";
import { problemLine } from "../config/problem.ts";
import { parseVerifyOptions } from "../config/run-options.ts";
import { connectApiServer } from "../kubernetes/api-server.ts";
import { readClusterUid } from "../kubernetes/cluster-uid.ts";
import { Discovery } from "../kubernetes/discovery.ts";
import { createPrometheusMeter } from "../telemetry/meter.ts";
import { LookedAtKeys } from "./looked-at-keys.ts";
import { nodeClock } from "./node-clock.ts";
import { createNodeFileSystem } from "./node-file-system.ts";
import { RemoteCopies } from "./node-remote-copies.ts";
import { lookedAtSecrets } from "./secret-options.ts";
import { readClusterDocuments } from "./read-cluster-documents.ts";
import { ServedTypes } from "./served-types.ts";
import { terminalLog } from "./terminal-log.ts";

const plainColumns = 100;

export async function composeVerify(argv: readonly string[], context: CommandContext): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    context.out(verifyHelp);
    return exitDone;
  }
  const options = parseVerifyOptions(argv, context.cwd);
  const { signal, out } = context;
  const files = createNodeFileSystem();
  const { config, allow } = options;
  const fromFiles = config === null ? null : await loadDocuments(files, config);
  await using meter = createPrometheusMeter();
  const log = terminalLog({ level: "warn", format: "auto" });
  await using api = await connectApiServer({ kubeconfig: options.kubeconfig, clock: nodeClock, files, meter, log });
  const complain = (sentence: string): void => context.error(`kubescribe verify: ${sentence}\n`);
  const documents = fromFiles ?? (await followed({ api, clock: nodeClock, allow }, { signal, complain }));
  const served = new ServedTypes().read(await new Discovery(api).read(signal));
  const rules = compileRules(documents, served);
  for (const warning of rules.warnings) complain(problemLine(warning));
  await using copies = await RemoteCopies.make({ ...options, files, signal });
  const readUid = (): Promise<string> => readClusterUid(api, signal);
  // Rules of files are those of a process without an installation.
  const installation = config === null ? { namespace: options.namespace, get: inquiryOf(api, signal).get } : null;
  const keys = new LookedAtKeys({ files, place: options, installation });
  const secretsOf = lookedAtSecrets({ keys, readClusterUid: readUid });
  const terminal = process.stderr.isTTY;
  const columns = terminal ? process.stderr.columns : plainColumns;
  const line = new ProgressLine({ write: context.error, terminal, colour: false, columns });
  const progress = (text: string): void => line.update(text);
  const ports = { api, clock: nodeClock, files, signal, progress, secretsOf, repositoryOf: copies.of.bind(copies) };
  try {
    return await verify(options, {
      clock: nodeClock,
      out: (text) => {
        line.clear();
        out(text);
      },
      progress,
      signal,
      look: () => lookAt(rules, ports),
    });
  } finally {
    line.clear();
  }
}

async function followed(
  place: Parameters<typeof readClusterDocuments>[0],
  { signal, complain }: { readonly signal: AbortSignal; readonly complain: (sentence: string) => void },
): Promise<readonly RuleDocument[]> {
  const { accepted, refused } = await readClusterDocuments(place, signal);
  for (const sentence of refused) complain(sentence);
  return accepted;
}
