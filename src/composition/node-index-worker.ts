/** Entry of the thread that indexes one fetched pack. */

import { parentPort, workerData } from "node:worker_threads";
import { replyOf } from "../git/piscina-pool.ts";
import { indexOfPack, type IndexRequest } from "../remote/index-pack.ts";
import { createBlockingFiles } from "./node-blocking-files.ts";

const reply = await replyOf(() => indexOfPack(workerData as IndexRequest, createBlockingFiles()));
parentPort?.postMessage(reply);
