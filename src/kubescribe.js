#!/usr/bin/env node
/**
 * The command `kubescribe`, for npx and npm. Plain JavaScript: a Node that reads no TypeScript, and a checkout in which nothing is
 * installed, have to be able to say so.
 */

if (!isInstalled()) {
  refuse(
    'expected the packages that it needs, found none: run "npm start" in the checkout, which installs them, Node included.',
  );
} else if (!process.features.typescript) {
  refuse(
    `expected Node 26 or newer, found ${process.versions.node}. In a checkout "npx kubescribe" uses the one that "npm start" installs.`,
  );
} else {
  await import("./main.ts");
}

function isInstalled() {
  try {
    import.meta.resolve("rxjs");
    return true;
  } catch {
    return false;
  }
}

/** @param {string} message What was expected, what was found and what to do. */
function refuse(message) {
  process.stderr.write(`kubescribe: ${message}\n`);
  process.exitCode = 2;
}
