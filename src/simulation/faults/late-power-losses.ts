import type { Dice } from "../dice.ts";
import type { Fault, World } from "../fault.ts";
import { named, standing } from "./standing.ts";

/** Of a flush. */
const mostCalls = 40;
const quietMs = 5_000;

/** Nothing that comes later makes durable what the flush that was broken off had not. */
export const latePowerLosses: Fault = {
  name: "late-power-losses",
  help: "a flush is broken off and done again; then all is quiet until kubescribe is killed, or the power fails",
  weight: 2,
  strike: async (world, dice) => {
    const { cluster, users, machine } = world;
    await users.idle();
    await machine.supervise();
    const object = standing(cluster, dice);
    if (object === null || machine.process === null) return;
    await world.wait(quietMs);
    world.befell("late-power-losses");
    breakOff(world, dice);
    const body = { metadata: { annotations: { last: String(dice.below(10)) } } };
    await users.act({ ...object.request, user: named("heidi"), body }, { reviewed: true, refused: false, dice });
    await machine.supervise();
    await world.wait(quietMs);
    machine.kill();
  },
};

function breakOff(world: World, dice: Dice): void {
  const { machine } = world;
  const calls = 1 + dice.below(mostCalls);
  const told = (what: string): void => world.befell("late-power-losses (a worker)", what);
  const way = dice.below(4);
  if (way === 0) machine.crashAt({ kind: "file", calls, torn: false });
  else if (way === 1) machine.process?.loseWorker({ calls }, told);
  // The branch has moved, and nothing has made that durable.
  else machine.process?.loseWorker({ calls: 1 + dice.below(2), only: /^rename .*\/refs\/heads\// }, told);
}
