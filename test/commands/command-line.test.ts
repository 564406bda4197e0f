import { describe, expect, test } from "vitest";
import { KubescribeError } from "../../machines/error.ts";
import type { Command } from "../../src/commands/command-line.ts";
import { commandLine } from "../../src/commands/command-line.ts";

function command(name: string, run: Command["run"]): Command {
  return { name, summary: `does ${name}`, run };
}

const commands: readonly Command[] = [
  command("demo", (argv, { out }) => {
    out(`demo ${argv.join(" ")}\n`);
    return Promise.resolve(0);
  }),
  command("verify", () =>
    Promise.reject(new KubescribeError("configuration-invalid", "one\ntwo\u001b[31m", { retry: "never" })),
  ),
  command("run", () =>
    Promise.reject(new KubescribeError("git-locked", "somebody else writes there", { retry: "never" })),
  ),
  command("look", () =>
    Promise.reject(new KubescribeError("cluster-unreachable", "no answer: ABORT_ERR", { retry: "backoff" })),
  ),
  command("crash", () => Promise.reject(new TypeError("x is undefined"))),
];

async function called(argv: readonly string[], debug = false, interrupted = false) {
  let out = "";
  let error = "";
  const context = {
    out: (text: string) => void (out += text),
    error: (text: string) => void (error += text),
    cwd: "/",
    debug,
    signal: interrupted ? AbortSignal.abort() : new AbortController().signal,
  };
  const code = await commandLine(argv, { commands, context, version: "1.2.3" });
  return { code, out, error };
}

describe("the command line", () => {
  test.each([["--help"], ["-h"], ["help"]])("%s teaches", async (argv) => {
    const { code, out } = await called([argv]);
    expect(code).toBe(0);
    expect(out).toContain("does demo");
    expect(out).toContain("Examples:");
  });

  test("--version works everywhere", async () => {
    expect(await called(["--version"])).toEqual({ code: 0, out: "kubescribe 1.2.3\n", error: "" });
    expect(await called(["run", "--version"])).toEqual({ code: 0, out: "kubescribe 1.2.3\n", error: "" });
  });

  test("help COMMAND is COMMAND --help", async () => {
    expect(await called(["help", "demo"])).toMatchObject({ code: 0, out: "demo --help\n" });
  });

  test("nothing at all is wrong usage, and teaches", async () => {
    const { code, error } = await called([]);
    expect(code).toBe(2);
    expect(error).toContain("Usage: kubescribe COMMAND");
  });

  test("an unknown command suggests the nearest", async () => {
    const { code, error } = await called(["demmo"]);
    expect(code).toBe(2);
    expect(error).toContain('expected a command, found "demmo". Did you mean "demo"?');
  });

  test("arguments reach the command", async () => {
    expect(await called(["demo", "--directory", "a"])).toMatchObject({ code: 0, out: "demo --directory a\n" });
  });

  test("wrong configuration is exit code 2, each line on its own", async () => {
    const { code, error } = await called(["verify"]);
    expect(code).toBe(2);
    expect(error).toBe("kubescribe verify: one\nkubescribe verify: two?[31m\n");
  });

  test("what failed is exit code 1", async () => {
    expect(await called(["run"])).toMatchObject({ code: 1, error: "kubescribe run: somebody else writes there\n" });
  });

  test("what Ctrl-C broke off says that, and not what it was broken off in", async () => {
    const said = async (name: string, interrupted: boolean) => (await called([name], false, interrupted)).error;
    expect(await said("look", true)).toBe("kubescribe look: interrupted before it was done\n");
    expect(await said("look", false)).toContain("no answer");
    expect(await said("verify", true)).toContain("one");
    expect(await said("crash", true)).toContain("x is undefined");
  });

  test("a bug says so, with a stack trace only where it is asked for", async () => {
    const plain = await called(["crash"]);
    expect(plain.code).toBe(1);
    expect(plain.error).toContain("an unexpected fault, probably a bug: x is undefined. Set KUBESCRIBE_DEBUG=1");
    expect(plain.error).not.toContain("    at ");
    expect((await called(["crash"], true)).error).toContain("    at ");
  });
});
