import type { WriteRequest } from "../../simulator/cluster.ts";
import type { Dice } from "../dice.ts";
import type { Fault, World } from "../fault.ts";
import type { Standing } from "./standing.ts";
import { named, standing } from "./standing.ts";

/** Longer than any of the users' own. */
const lagMs = 50;
/** More than tight-bounds let wait. */
const crowd = 40;

/** K2, K37: an API server that lags has the second one reviewed on the version that the first one has changed already. */
export const forgottenRivals: Fault = {
  name: "forgotten-rivals",
  help: "two ask for the same on one version, and the first is forgotten: by a full disk and a crash, time, or a bound",
  weight: 2,
  strike: async (world, dice) => {
    const { cluster, users } = world;
    await users.idle();
    await world.wait(lagMs);
    const object = standing(cluster, dice);
    if (object === null) return;
    const { why, stalledMs, act, between, after } = dice.pick(ways);
    const lagging = cluster.server({ server: 0 });
    lagging.hold();
    world.network.stall(stalledMs);
    world.befell(`forgotten-rivals (${why})`);
    const ask = (user: string): Promise<void> =>
      users.act({ ...act(object, dice), user: named(user), server: 0 }, { reviewed: true, refused: false, dice });
    if (why === "full disk") fill(world, dice);
    await ask("erin");
    await between(world, dice);
    await ask("frank");
    await after(world);
    lagging.catchUp();
  },
};

interface Way {
  readonly why: "full disk" | "time" | "bound";
  readonly stalledMs: number;
  readonly act: (object: Standing, dice: Dice) => WriteRequest;
  readonly between: (world: World, dice: Dice) => Promise<void>;
  readonly after: (world: World) => Promise<void>;
}

const deletion = ({ request }: Standing): WriteRequest => ({ ...request, verb: "delete" });

const ways: readonly [Way, ...Way[]] = [
  {
    why: "full disk",
    stalledMs: 2_000,
    act: ({ request }) => ({ ...request, body: { metadata: { annotations: { asked: "twice" } } } }),
    between: (world) => world.wait(lagMs),
    after: async ({ machine }) => machine.kill(),
  },
  // As long as a correlation lives under short-ttl, and a bit.
  {
    why: "time",
    stalledMs: 8_500,
    act: deletion,
    between: (world) => world.wait(3_000),
    after: (world) => world.wait(5_000),
  },
  {
    why: "bound",
    stalledMs: 4_000,
    act: deletion,
    between: crowded,
    // Or the second one is crowded out, too.
    after: (world) => world.wait(4_000),
  },
];

/** What is refused is waited for. */
async function crowded({ users, cluster }: World, dice: Dice): Promise<void> {
  for (let left = crowd; left > 0; left -= 1) {
    const other = standing(cluster, dice);
    if (other === null) continue;
    const request = { ...other.request, user: named("grace"), body: { metadata: { annotations: { asked: "too" } } } };
    await users.act(request, { reviewed: true, refused: true, dice });
  }
}

/** The journal, for the first of them alone. */
function fill(world: World, dice: Dice): void {
  world.disk.trouble({
    code: "ENOSPC",
    under: "/data/journal",
    calls: /^write$/,
    probability: 1,
    forMs: lagMs / 2,
    random: dice.next,
    leavesPart: true,
    struck: () => world.befell("forgotten-rivals (full disk struck)"),
  });
}
