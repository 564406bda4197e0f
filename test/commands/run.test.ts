import { expect, test } from "vitest";

import { KubescribeError } from "../../machines/error.ts";
import { run, type RunPorts } from "../../src/commands/run.ts";
import { parseRunOptions } from "../../src/config/run-options.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";

const argv =
  "--installation=a --namespace=b --pod-name=c --pod-address=127.0.0.1 --kubeconfig=/kubeconfig --data-dir=/data";
const options = parseRunOptions(argv.split(" "), "/");

/** Of a process whose engine gives up with `error`, after a signal or without one. */
async function portsThatFail(error: Error, { stopped }: { readonly stopped: boolean }): Promise<RunPorts> {
  const clock = createSimulatedClock();
  const files = new MemoryFileSystem(clock);
  await using file = await files.open("/kubeconfig", "create");
  await file.write(Buffer.from("{}"));
  const controller = new AbortController();
  const startEngine = (): Promise<never> => {
    if (stopped) controller.abort();
    return Promise.reject(error);
  };
  return { clock, files, meter: new FakeMeter(), log: new FakeLog(), signal: controller.signal, startEngine };
}

const unreachable = new KubescribeError("cluster-unreachable", "The API server does not answer.", { retry: "backoff" });

test("stopped while the API server was waited for is an orderly end", async () => {
  expect(await run(options, await portsThatFail(unreachable, { stopped: true }))).toBe(0);
});

test.each([
  ["without a signal", unreachable, false],
  ["for good", new KubescribeError("locked", "in use", { retry: "never" }), true],
  ["by a bug", new TypeError("x is undefined"), true],
])("a start that failed %s is a failure", async (_how, error, stopped) => {
  await expect(run(options, await portsThatFail(error, { stopped }))).rejects.toBe(error);
});
