/**
 * Finds the end of an object or array eight times as fast as a loop over its bytes: 64 bytes at a time, by the WebAssembly
 * of skip-container.wat. Owns the module's memory, and with it a copy of the document that is being scanned.
 *
 * 1. Brackets are counted outside of strings, and that is all: for JSON that JSON.parse accepts, the end is the right one; other
 *    JSON may get one, too, which always lies in the document.
 * 2. Only what was staged is answered for. Whoever gets 0 has to look himself.
 */

/** Longer documents are rare; what lies behind it is scanned byte by byte. Its size is fixed by the module's memory. */
const windowBytes = 1024 * 1024;

/** skip-container.wat, assembled; test/bytes/skip-container.test.ts assembles it again. */
export const skipContainerModule =
  "AGFzbQEAAAABEwNgA397ewF+YAF+AX5gAn9/AX8DBAMAAQIFAwEAEQcRAgZtZW1vcnkCAARza2lwAAIK0QMDUgAgAiABIAD9AAQA/VD9I/1krSACIAEgAP0ABBD9UP0j/WStQhCGhCACIAEgAP0ABCD9UP0j/WStQiCGIAIgASAA/QAEMP1Q/SP9ZK1CMIaEhAs8ACAAIABCAYaFIQAgACAAQgKGhSEAIAAgAEIEhoUhACAAIABCCIaFIQAgACAAQhCGhSEAIAAgAEIghoULvgIDAX8JfgJ7QSD9DyENA0AgACABTwRAQQAPCyADIQYgACAMQdwA/Q8QACADQn+FgyEFQgAhAwJAA0AgBVANASAFQgAgBX2DIQcgB0KAgICAgICAgIB/UQRAQgEhAwwCCyAGIAdCAYaEIQYgBSAHQgN+Qn+FgyEFDAALCyAEIAAgDEEi/Q8QACAGQn+FgxABhSEIIAhCP4chBCAIQn+FIQggCCAAIA1B+wD9DxAAgyEJIAggACANQf0A/Q8QAIMhCiAKeyACrVQEQCACIAl7IAp7fadqIQIFIAkgCoQhCwJAA0AgC1ANASALQgAgC32DIQcgCyAHhSELIAcgCoNQBEAgAkEBaiECBSACQQFrIQIgAkUEQCAAQQFqIAd6p2ohACAAQQAgACABTRsPCwsMAAsLCyAAQcAAaiEADAALAAs=";

interface SkipContainer {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly skip: (at: number, end: number) => number;
}
/** Node's types leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: SkipContainer };
};

const module = new WebAssembly.Module(Buffer.from(skipContainerModule, "base64"));
const { memory, skip } = new WebAssembly.Instance(module).exports;
const window = new Uint8Array(memory.buffer);

/** Compared by identity: whoever fills a buffer anew stages it anew. */
let stagedBytes: Uint8Array | null = null;
let stagedStart = 0;
let stagedEnd = 0;

/** Each scan of a document begins with this. The scan is synchronous, so one document at a time is enough. */
export function stageDocument(bytes: Uint8Array, start: number, end: number): void {
  stagedBytes = bytes;
  stagedStart = start;
  stagedEnd = Math.min(end, start + windowBytes);
  window.set(start === 0 && stagedEnd === bytes.length ? bytes : bytes.subarray(start, stagedEnd));
}

/** The end of the object or array that begins at `start`; 0 where it is not known. */
export function skipContainer(bytes: Uint8Array, start: number, end: number): number {
  if (bytes !== stagedBytes || start < stagedStart) return 0;
  const found = skip(start - stagedStart, Math.min(end, stagedEnd) - stagedStart);
  return found === 0 ? 0 : found + stagedStart;
}
