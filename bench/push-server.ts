/** `git http-backend` for bench/push.ts, in a thread of its own: neither client should serve itself. */

import { parentPort, workerData } from "node:worker_threads";

import { HttpBackend } from "../test/remote/http-backend.ts";

const backend = await HttpBackend.start({ root: String(workerData) });
parentPort?.postMessage(backend.port);
