/** Looks names up, and refuses addresses that must not be spoken to: a public name may resolve to anything. */

import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import type { LookupFunction } from "node:net";

/** True: nobody is to speak to that host, a name or an address. */
export type RefusesHost = (host: string) => boolean;

/** One refused address refuses the name: who answers so once may have the other connected to next time. */
export function guardedLookup(refuses: RefusesHost): LookupFunction {
  return (hostname, options: LookupOptions, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const refused = error === null && addresses.some(({ address }) => refuses(address));
      const [first] = addresses ?? [];
      if (error !== null) callback(error, "");
      else if (refused || first === undefined) callback(refusal(hostname), "");
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Shows no address: the answer of an inner name server is nobody's business. */
export function refusal(hostname: string): NodeJS.ErrnoException {
  const message = `${hostname} is inside of the cluster or its network, and is not spoken to unless --allow names it`;
  return Object.assign(new Error(message), { code: "EACCES" });
}
