/** `--plan` of a receiver: what the first messages meet, in order, instead of by chance. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createCoin, FAULTS, type Planned } from "../receiver.ts";
import { startRole } from "./helpers.ts";
import { endAll, start, startOwnDiscovery } from "./started.ts";

afterEach(endAll);

test("createCoin() uses up its plan first, and then goes by chance", () => {
  const tossCoin = createCoin(1, ["exit"], Math.random, ["ok", "lost-ack", "silent"]);
  assert.deepEqual(
    [tossCoin(), tossCoin(), tossCoin(), tossCoin()],
    [undefined, "lost-ack", "silent", "exit"],
  );
});

test("createCoin() draws nothing for what is planned: with the same seed, chance goes on as without a plan", () => {
  const drawn: number[] = [];
  const random = () => drawn.push(0) * 0;
  const tossCoin = createCoin(0.5, ["silent"], random, ["ok", "lost"]);
  for (const _each of [1, 2]) tossCoin();
  assert.equal(drawn.length, 0);
  assert.equal(tossCoin(), "silent");
});

test("a plan may grow while it is used up", () => {
  const plan: Planned[] = ["ok"];
  const tossCoin = createCoin(0, [], Math.random, plan);
  assert.equal(tossCoin(), undefined);
  plan.push("disconnect");
  assert.equal(tossCoin(), "disconnect");
  assert.equal(tossCoin(), undefined);
});

/** Starts receivers with a plan and no chance, each of which was joined by now. */
async function startPlanned(plan: string, ...more: string[]) {
  const { url } = await startOwnDiscovery();
  const to = ["--discovery", url];
  const name = ["--name", "planned", "--advertise-host", "127.0.0.1"];
  const receiver = start("receiver.ts", ...to, ...name, "--fault-rate", "0", "--plan", plan, ...more);
  await receiver.says(/registered as/);
  const send = async (whom: string) => {
    const client = start("client.ts", ...to, "--to", whom, "--ack-timeout", "1s", "--log-level", "warn");
    assert.equal(await client.exitCode(), 0, client.stderr());
    return client.stdout();
  };
  return { receiver, send };
}

/** What the receivers met and did, in order, without the rest of the line. */
function story(log: string): string[] {
  const names = Object.entries(FAULTS).map(([name, words]) => [words, name] as const);
  return log.split("\n").flatMap((line) => {
    const fault = names.find(([words]) => line.includes(words))?.[1];
    const told = fault ?? line.match(/: (processed|acked again)/)?.[1];
    return told === undefined ? [] : [told];
  });
}

test("a retry takes the plan's next entry, and a duplicate takes none", async () => {
  const { receiver, send } = await startPlanned("silent,lost-ack,lost,ok,ok,disconnect");
  await receiver.says(/plan silent,lost-ack,lost,ok,ok,disconnect, then fault rate 0 \(silent\)/);
  assert.match(await send("0"), /after 3 attempts.*duplicate/); // silent, lost-ack, and no entry for the duplicate
  assert.match(await send("0"), /after 2 attempts/); // lost, ok
  assert.match(await send("0"), /after 1 attempt,/); // ok
  assert.match(await send("0"), /after 2 attempts/); // disconnect, and then there is no plan left
  const planned = ["silent", "lost-ack", "processed", "acked again", "lost", "processed", "processed"];
  assert.deepEqual(story(receiver.stderr()), [...planned, "disconnect", "processed"]);
});

test("each copy has the plan of its own", async () => {
  const { receiver, send } = await startPlanned("lost-ack,ok", "--copies", "2");
  await receiver.says(/registered as.*\n.*registered as/);
  assert.match(await send("all"), /group acked: 2 acked/);
  const met = story(receiver.stderr()).filter((each) => each === "lost-ack");
  assert.equal(met.length, 2, receiver.stderr());
});

for (const plan of ["ok,explode", "ok,", "OK"]) {
  test(`--plan ${plan} ends with code 2 and a line that lists the right names`, async () => {
    const receiver = startRole("receiver.ts", ["--plan", plan]);
    assert.equal(await receiver.exitCode(), 2);
    const right = "ok, silent, lost, lost-ack, late-ack, disconnect, exit, comma separated";
    assert.ok(receiver.stderr().includes(`--plan (or ACK_RECEIVER_PLAN) is "${plan}"`), receiver.stderr());
    assert.ok(receiver.stderr().includes(right), receiver.stderr());
  });
}
