import type { HttpResponse } from "../../../actors/ports.ts";
import type { Fault } from "../fault.ts";
import { isWatch } from "../network.ts";

/** 429 and 503 say to try again; a body may end anywhere. */
export const brokenAnswers: Fault = {
  name: "broken-answers",
  help: "a list breaks off, or is answered 429 or 503",
  weight: 2,
  strike: (world, dice) => {
    const pieces = dice.below(3);
    const status = dice.pick([0, 0, 429, 503]);
    world.requests.arm({
      accepts: ({ url }) => !isWatch(url),
      meet: async (call, go) => {
        world.befell(`broken-answers (${status === 0 ? "broken off" : status})`, call.url.pathname);
        if (status !== 0)
          return { status, headers: { "retry-after": "1" }, body: world.network.whole({ status, body: "busy" }).body };
        const answer = await go(call);
        return { ...answer, body: brokenOff(answer.body, pieces) };
      },
    });
    world.network.cutOne(dice);
  },
};

async function* brokenOff(body: HttpResponse["body"], pieces: number): AsyncGenerator<Uint8Array> {
  let left = pieces;
  for await (const chunk of body) {
    if (left === 0) break;
    left -= 1;
    yield chunk;
  }
  throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
}
