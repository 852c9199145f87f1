/** A class on this machine, and what its desk does to the real processes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { createDesk } from "../classroom/desk.ts";
import { end, faultRateOf, startReceiver, untilInGroup } from "../classroom/processes.ts";
import { type ServersOptions, startServers } from "../classroom/servers.ts";
import type { DeskState } from "../monitor/desk_calls.ts";
import { listen } from "../plumbing/listen.ts";
import type { TraceEvent } from "../trace/events.ts";
import { inTime, until } from "./helpers.ts";
import { fetch, groupFile } from "./wires.ts";

const NAMES = ["receiver-0", "receiver-1", "receiver-2"];

describe("a class", () => {
  const receivers: ServersOptions["receivers"] = new Map();
  const printed: string[] = [];
  const print = (line: string) => void printed.push(line);
  let servers: Awaited<ReturnType<typeof startServers>>;
  let [url, key] = ["", ""];

  before(async () => {
    servers = await startServers(print, { logLevel: "info", groupFile }, { receivers });
    [, url = "", key = ""] = /open (\S+)\/#desk=(\S+) in a browser/.exec(printed[0] ?? "") ?? [];
    for (const name of NAMES)
      receivers.set(name, startReceiver(name, [...servers.to, "--fault-rate", "1"], print));
    await untilInGroup([...receivers.values()], servers.api, AbortSignal.timeout(20_000));
  });
  after(async () => {
    await Promise.all([...receivers.values()].map(end));
    await servers.close();
  });

  async function order(what: object): Promise<DeskState & { status: number; code?: string }> {
    const headers = { "Content-Type": "application/json", Origin: url, Authorization: `Bearer ${key}` };
    const answer = await fetch(`${url}/desk`, { method: "POST", headers, body: JSON.stringify(what) });
    return { ...((await answer.json()) as DeskState), status: answer.status };
  }
  async function eventsOf(process: string): Promise<TraceEvent[]> {
    const lines = (await (await fetch(`${url}/events.jsonl`)).text()).trim().split("\n");
    return lines.map((line) => JSON.parse(line)).filter((event) => event.process === process);
  }
  const acks = async () => (await eventsOf("desk")).filter(({ event }) => event === "ack received");
  const childOf = (name: string) => receivers.get(name) ?? assert.fail(name);
  const stateOf = (name: string) =>
    execFileSync("ps", ["-o", "state=", "-p", String(childOf(name).pid)], { encoding: "utf8" })[0];
  async function group(): Promise<string[]> {
    const answer = await fetch(`${servers.discovery}/receivers`);
    return ((await answer.json()) as { name: string }[]).map(({ name }) => name);
  }

  test("the address of its page stands whole in one row of a terminal, also with a language", () => {
    const [line = ""] = printed;
    assert.ok(line.length + "?lang=pt".length <= 80, line);
  });

  test("its desk gives a receiver what its next message meets", async () => {
    await order({ do: "give fault", receiver: "receiver-0", fault: "ok" });
    await order({ do: "send", to: "receiver-0", text: "olá" });
    await until(
      "the ack, at the first attempt, although all meet a fault",
      async () => (await acks()).length === 1,
    );
    const { from, attempt, note } = await until("what the receiver tells", async () =>
      (await eventsOf("receiver-0")).find(({ event }) => event === "processed"),
    );
    assert.deepEqual([from, attempt, note], ["desk", 1, '"olá"']);
  });

  test("its desk gives each receiver another fault rate, and sends to all, and to any", async () => {
    const rates = async () => (await order({ do: "look" })).receivers.map(({ rate }) => rate);
    assert.deepEqual(await rates(), [1, 1, 1], "as they were started");
    for (const receiver of NAMES) await order({ do: "give rate", receiver, rate: 0 });
    assert.deepEqual(await rates(), [0, 0, 0]);
    await order({ do: "send", to: "all", text: "to all" });
    await until("three acks more", async () => (await acks()).length === 4);
    assert.equal((await eventsOf("desk")).find(({ event }) => event === "group acked")?.need, 3);
    await order({ do: "send", to: "any", text: "to any" });
    await until("one ack more", async () => (await acks()).length === 5);
  });

  test("its desk suspends a receiver, and resumes it", async () => {
    await order({ do: "suspend", receiver: "receiver-1" });
    await until("it is stopped", () => stateOf("receiver-1") === "T");
    const { receivers: listed } = await order({ do: "send", to: "receiver-1", text: "sleep" });
    assert.deepEqual(listed[1], { name: "receiver-1", state: "suspended", rate: 0 });
    await order({ do: "resume", receiver: "receiver-1" });
    await until("it runs, and answers", async () => (await acks()).length === 6);
    assert.notEqual(stateOf("receiver-1"), "T");
  });

  test("its desk kills a receiver, tells one to end, and starts one more", async () => {
    await order({ do: "kill", receiver: "receiver-1" });
    await until("it is dead", () => childOf("receiver-1").signalCode === "SIGKILL");
    await order({ do: "end", receiver: "receiver-2" });
    await until("it has ended in order", () => childOf("receiver-2").exitCode === 0);
    const { receivers: listed } = await order({ do: "start receiver" });
    assert.deepEqual(
      listed.map(({ state }) => state),
      ["running", "ended", "ended", "running"],
    );
    assert.deepEqual([listed[3]?.name, listed[3]?.rate], ["receiver-3", 0.5]);
    await until("it is in the group", () => printed.some((line) => /receiver-3 info: registered/.test(line)));
    const again = await order({ do: "kill", receiver: "receiver-1" });
    assert.deepEqual([again.status, again.code], [409, "changed"]);
  });

  test("its desk stops discovery, where nothing can be sent, and starts it again", async () => {
    assert.equal((await order({ do: "stop discovery" })).discovery, false);
    await assert.rejects(group());
    const refused = await order({ do: "send", to: "all", text: "where?" });
    assert.deepEqual([refused.status, refused.code], [409, "away"]);
    const other = createServer();
    await listen(other, Number(new URL(servers.discovery).port), "127.0.0.1");
    assert.equal((await order({ do: "start discovery" })).code, "changed", "another has its port");
    other.close();
    assert.equal((await order({ do: "start discovery" })).discovery, true);
    assert.ok(!(await group()).includes("receiver-1"));
    const lonely = await order({ do: "send", to: "receiver-1", text: "who?" });
    assert.deepEqual([lonely.status, lonely.code], [409, "absent"]);
    assert.equal((await order({ do: "start discovery" })).code, "changed");
  });

  test("what the desk did are the monitor's events, in their order", async () => {
    const deeds = (await eventsOf("monitor")).filter(({ event }) => !/reachable$/.test(event));
    assert.deepEqual(
      deeds.map(({ event, from, fault, note }) => [event, from, fault ?? note].filter(Boolean).join(" ")),
      [
        "given fault receiver-0 ok",
        ...NAMES.map((name) => `given rate ${name} 0`),
        ...["suspended receiver-1", "resumed receiver-1", "killed receiver-1", "told to end receiver-2"],
        ...["launched receiver-3", "told to end discovery", "launched discovery"],
      ],
    );
  });

  test("its desk has at most 20 messages under way, and gives them up at the end; who is suspended ends in order", async () => {
    await order({ do: "start receiver" });
    await until("it is in the group", async () => (await group()).includes("receiver-4"));
    await order({ do: "suspend", receiver: "receiver-4" });
    for (let n = 0; n < 20; n++)
      assert.equal((await order({ do: "send", to: "receiver-4", text: `${n}` })).status, 200);
    const refused = await order({ do: "send", to: "receiver-4", text: "one more" });
    assert.deepEqual([refused.status, refused.code], [409, "many"]);
    await inTime("its end", end(childOf("receiver-4")), 10_000);
    assert.equal(childOf("receiver-4").exitCode, 0);
  });
});

test("the rate of a receiver: its flag beats the environment beats the default", () => {
  const flags = ["receiver.ts", "--fault-rate", "0", "--name", "receiver-0"];
  process.env.ACK_RECEIVER_FAULT_RATE = "0.25";
  assert.deepEqual([faultRateOf({ spawnargs: flags }), faultRateOf({ spawnargs: [] })], [0, 0.25]);
  process.env.ACK_RECEIVER_FAULT_RATE = "";
  assert.equal(faultRateOf({ spawnargs: [] }), 0.5);
  delete process.env.ACK_RECEIVER_FAULT_RATE;
});

test("a desk starts no more receivers than a class may have", async () => {
  const receivers = new Map(
    Array.from({ length: 50 }, (_, n) => [`receiver-${n}`, { exitCode: 0 } as never]),
  );
  const never = () => assert.fail("it is started");
  const discovery = { isUp: () => true, start: async () => {}, stop() {} };
  const client = { send: async () => {}, close: async () => {} };
  const desk = createDesk({ receivers, startReceiver: never, discovery, client });
  await assert.rejects(desk.obey({ do: "start receiver" }), { code: "many", message: /has 50 at most/ });
  await assert.rejects(desk.obey({ do: "kill", receiver: "receiver-7" }), { code: "changed" });
});
