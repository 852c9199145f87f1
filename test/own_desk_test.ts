/** The desk of a monitor that was started by hand, with --desk: it rules what it has started, and nothing else. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { afterEach, test } from "node:test";
import type { DeskState } from "../monitor/desk_calls.ts";
import { type Answered, type Asked, createOwnDesk } from "../monitor/own_desk.ts";
import { discoveryUrl, stopRole, until } from "./helpers.ts";
import { endAll, start, toClose } from "./started.ts";
import { fetch } from "./wires.ts";

afterEach(endAll);

const LOCAL = ["--host", "127.0.0.1", "--port", "0"];

test("a monitor with --desk starts receivers, sends to them, and ends them when it ends", async () => {
  const discovery = await discoveryUrl(start("discovery.ts", ...LOCAL));
  const monitor = start("monitor.ts", ...LOCAL, "--discovery", discovery, "--desk");
  const [, url = "", key] = await monitor.says(/open (https?:\/\/[^/]+)\/\S*#desk=(\S+)/);
  async function order(what: object): Promise<DeskState & { status: number; code?: string }> {
    const headers = { "Content-Type": "application/json", Origin: url, Authorization: `Bearer ${key}` };
    const answer = await fetch(`${url}/desk`, { method: "POST", headers, body: JSON.stringify(what) });
    return { ...((await answer.json()) as DeskState), status: answer.status };
  }
  const events = async () => (await fetch(`${url}/events.jsonl`)).text();
  async function group(): Promise<string[]> {
    const listed = (await (await fetch(`${discovery}/receivers`)).json()) as { name: string }[];
    return listed.map(({ name }) => name);
  }

  await order({ do: "start receiver" });
  const { receivers, discovery: isRuled } = await order({ do: "start receiver" });
  const names = receivers.map(({ name }) => name);
  assert.deepEqual([names, isRuled], [["receiver-1", "receiver-2"], undefined]);
  await until("both are in the group", async () => (await group()).length === 2);
  await order({ do: "give fault", receiver: "receiver-1", fault: "ok" });
  await order({ do: "send", to: "receiver-1", text: "olá" });
  await until("its ack", async () => /"event":"ack received","process":"desk"/.test(await events()));
  await order({ do: "kill", receiver: "receiver-1" });
  await until("it is dead", () => /receiver-1 ended \(SIGKILL\)/.test(monitor.stderr()));
  for (const what of ["start", "stop"])
    assert.equal((await order({ do: `${what} discovery` })).code, "changed", "it is not the desk's");
  assert.equal(await stopRole(monitor), 0);
  await until("the other has left, in order", async () => !(await group()).includes("receiver-2"));
});

test("an order that was refused meanwhile is not carried out", async () => {
  const owner = fork(`${import.meta.dirname}/../classroom/desk_owner.ts`, [
    "http://127.0.0.1:1",
    "http://127.0.0.1:1",
  ]);
  toClose.push(() => owner.kill("SIGKILL"));
  const answered: Answered[] = [];
  owner.on("message", (answer: Answered) => answered.push(answer));
  const ask = (asked: Asked) => owner.send(asked);
  ask({ number: 1, order: { do: "start receiver" }, until: Date.now() - 1 });
  ask({ number: 2, order: { do: "look" }, until: Date.now() + 60_000 });
  await until("it answers", () => answered.length > 0);
  assert.deepEqual(
    answered.map(({ number, state }) => [number, state.receivers]),
    [[2, []]],
  );
});

test("a desk whose process has ended says so at once", async () => {
  const desk = createOwnDesk();
  await assert.rejects(async () => desk.look(), /the desk's process has ended; start the monitor again/);
});

test("a monitor takes no --desk with --replay: exit code 2, and what to do", async () => {
  const monitor = start("monitor.ts", ...LOCAL, "--desk", "--replay", "a.jsonl");
  assert.equal(await monitor.exitCode(), 2);
  assert.match(monitor.stderr(), /^Cannot start monitor: --desk .* leave --replay out\n$/);
});
