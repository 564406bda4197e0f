#!/usr/bin/env node
/** The command `kubescribe`. Nothing is imported before the Node that runs it is known to be new enough. */

const oldestNodeMajor = 26;

if (Number(process.versions.node.split(".")[0]) < oldestNodeMajor) {
  process.stderr.write(
    `kubescribe: expected Node ${oldestNodeMajor} or newer, found ${process.versions.node}. In a checkout "npm start" and ` +
      '"node_modules/.bin/node src/main.ts" use the one that npm installed.\n',
  );
  process.exitCode = 2;
} else {
  const { homedir } = await import("node:os");
  const { enableCompileCache } = await import("node:module");
  // Compiling takes most of a start, in this thread and in each worker: reviews are missed meanwhile. Below the home directory:
  // in a shared one anybody could plant code. Where it cannot be written, Node goes without.
  process.env["NODE_COMPILE_CACHE"] ??= `${process.env["XDG_CACHE_HOME"] ?? `${homedir()}/.cache`}/kubescribe/compiled`;
  enableCompileCache(process.env["NODE_COMPILE_CACHE"]);
  const { runProcess } = await import("./composition/run-process.ts");
  await runProcess();
}
