/** `kubescribe demo` with Node's clock, files and network. */

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../commands/command-line.ts";
import { demo } from "../commands/demo.ts";
import type { DemoEngine, DemoEngineOptions } from "../commands/demo.ts";
import { loadDocuments } from "../config/load-documents.ts";
import { parseRunOptions } from "../config/run-options.ts";
import { createPrometheusMeter } from "../telemetry/meter.ts";
import { nodeClock, nodeRandom } from "./node-clock.ts";
import { createNodeFileSystem } from "./node-file-system.ts";
import { nodePorts } from "./node-ports.ts";
import { startEngine } from "./start-engine.ts";
import { terminalLog } from "./terminal-log.ts";

const plainColumns = 100;

export async function composeDemo(argv: readonly string[], context: CommandContext): Promise<number> {
  const terminal = process.stdout.isTTY;
  return await demo(argv, {
    clock: nodeClock,
    random: nodeRandom,
    fileSystem: createNodeFileSystem(),
    output: {
      write: context.out,
      terminal,
      colour: terminal && (process.env["NO_COLOR"] ?? "") === "",
      columns: terminal ? process.stdout.columns : plainColumns,
    },
    makeTemporaryDirectory: () => mkdtemp(join(tmpdir(), "kubescribe-demo-")),
    cwd: context.cwd,
    startEngine: (options) => startDemoEngine(options, context),
    signal: context.signal,
  });
}

/** As `run` would be told on its command line; only what goes wrong is said. */
async function startDemoEngine(wanted: DemoEngineOptions, { cwd, signal }: CommandContext): Promise<DemoEngine> {
  const options = parseRunOptions(
    [
      ["--kubeconfig", wanted.kubeconfig],
      ["--config", wanted.config],
      ["--admission-address", wanted.admissionAddress],
      ["--admission-path", wanted.admissionPath],
      ["--tls-cert-file", wanted.tlsCertFile],
      ["--tls-key-file", wanted.tlsKeyFile],
      ["--metrics-address", wanted.metricsAddress],
      ["--data-dir", wanted.dataDir],
      ["--log-level", "warn"],
    ].flat(),
    cwd,
  );
  const log = terminalLog({ level: options.logLevel, format: options.logFormat });
  const meter = createPrometheusMeter();
  const ports = await nodePorts({ meter, log, signal });
  const documents = await loadDocuments(ports.files, wanted.config);
  const engine = await startEngine({ options, documents }, ports);
  return {
    ready: engine.ready,
    admissionAddress: () => engine.admissionAddress(),
    drain: () => engine.drain(),
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await meter[Symbol.asyncDispose]();
    },
  };
}
