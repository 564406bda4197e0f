/** `kubescribe COMMAND`: finds the command, and turns whatever happens into words and an exit code. */

import { KubescribeError } from "../../machines/error.ts";
import { didYouMean } from "../config/nearest.ts";
import { quoted } from "../config/problem.ts";

export interface CommandContext {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** What relative paths are relative to. */
  readonly cwd: string;
  /** Stack traces are welcome. */
  readonly debug: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Resolves to the exit code. */
  readonly run: (argv: readonly string[], context: CommandContext) => Promise<number>;
}

export interface CommandLine {
  readonly commands: readonly Command[];
  readonly context: CommandContext;
  readonly version: string;
}

export const exitDone = 0;
export const exitFailed = 1;
const exitUsage = 2;

/** Resolves to the exit code: 0 done, 1 failed, 2 wrong usage or configuration. */
export async function commandLine(argv: readonly string[], options: CommandLine): Promise<number> {
  const { commands, context, version } = options;
  const [first, ...rest] = argv;
  const ended = rest.indexOf("--");
  const flags = ended === -1 ? argv : argv.slice(0, ended + 1);
  if (flags.includes("--version") || first === "-V") {
    context.out(`kubescribe ${version}\n`);
    return exitDone;
  }
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    const asked = commands.find(({ name }) => name === rest[0]);
    if (first !== undefined && asked !== undefined) return await attempt(asked, ["--help"], context);
    (first === undefined ? context.error : context.out)(overview(commands));
    return first === undefined ? exitUsage : exitDone;
  }
  const command = commands.find(({ name }) => name === first);
  if (command !== undefined) return await attempt(command, rest, context);
  const names = commands.map(({ name }) => name);
  const what = first.startsWith("-") ? "a command first, found the option" : "a command, found";
  context.error(
    `kubescribe: expected ${what} ${quoted(first)}.${didYouMean(first, names)}\n` +
      `Commands are ${names.join(", ")}; "kubescribe --help" tells more.\n`,
  );
  return exitUsage;
}

async function attempt(command: Command, argv: readonly string[], context: CommandContext): Promise<number> {
  try {
    return await command.run(argv, context);
  } catch (error) {
    // Whatever was under way ends in a fault of its own, which is not the reason.
    if (context.signal.aborted && error instanceof KubescribeError && error.retry !== "never") {
      context.error(`kubescribe ${command.name}: interrupted before it was done\n`);
      return exitFailed;
    }
    context.error(faultText(error, { command: command.name, debug: context.debug }));
    return error instanceof KubescribeError && isConfiguration(error.code) ? exitUsage : exitFailed;
  }
}

function overview(commands: readonly Command[]): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`);
  return `kubescribe: every change that a Kubernetes cluster persists becomes one Git commit by its real author.

Usage: kubescribe COMMAND [OPTIONS]

Commands:
${lines.join("\n")}

Options:
  --help      this text; after a command, that command's options
  --version   the version

Examples:
  kubescribe demo
  kubescribe run --kubeconfig ~/.kube/config --config rules.yaml --tls-cert-file tls.crt --tls-key-file tls.key
  kubescribe install --watch apps/deployments,configmaps | kubectl apply -f -
  kubescribe simulate --runs 20
  kubescribe verify --kubeconfig ~/.kube/config --config rules.yaml
  kubescribe who deployment/web -n shop .spec.replicas

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
KUBESCRIBE_DEBUG=1 adds stack traces to errors.
`;
}

/** What a person has to change on the command line, in a file, or in the environment before another try makes sense. */
const configurationCodes = new Set([
  "configuration-invalid",
  "tls-files",
  "locked",
  "git-not-a-repository",
  "git-format-unsupported",
  "git-path-invalid",
  "git-revision-unknown",
]);

function isConfiguration(code: string): boolean {
  return configurationCodes.has(code) || code.startsWith("kubeconfig-");
}

function faultText(error: unknown, options: { readonly command: string; readonly debug: boolean }): string {
  const prefix = `kubescribe ${options.command}: `;
  const stack = options.debug && error instanceof Error ? `${error.stack ?? ""}\n${causeText(error.cause)}` : "";
  if (error instanceof KubescribeError) return `${linesOf(error.message, prefix)}${stack}`;
  const message = error instanceof Error ? error.message : String(error);
  const advice = options.debug ? "" : " Set KUBESCRIBE_DEBUG=1 to see where, and report it.";
  return `${linesOf(`an unexpected fault, probably a bug: ${message}.${advice}`, prefix)}${stack}`;
}

function causeText(cause: unknown): string {
  return cause instanceof Error ? `caused by ${cause.stack ?? cause.message}\n` : "";
}

function linesOf(message: string, prefix: string): string {
  return message
    .split("\n")
    .map((line) => `${prefix}${line.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?")}\n`)
    .join("");
}
