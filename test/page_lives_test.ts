/** Who was there, and when, as the page's model tells it: lives, ids, discovery's death, clients that wait. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { processesOf } from "../monitor/crowd.js";
import { applyClients, applyList, forgetGone } from "../monitor/group_list.js";
import { layOutLanes } from "../monitor/lanes.js";
import { goneOf } from "../monitor/lives.js";
import { apply, clear } from "../monitor/model.js";
import { byOwnName, ownName } from "../monitor/receiver_names.js";
import type { TraceEvent } from "../trace/events.ts";
import { newModel, told } from "./page_helpers.ts";

function after(...events: TraceEvent[]) {
  const model = newModel();
  for (const event of events) apply(model, event);
  return model;
}
const a = (at: number, event: TraceEvent["event"], receiver: string, details: Partial<TraceEvent> = {}) =>
  told("receiver-a", at, event, { receiver, ...details });
const d = (at: number, event: TraceEvent["event"], receiver?: string) =>
  told("discovery", at, event, receiver ? { receiver } : {});

describe("the lives of a process", () => {
  test("are told in any order: two of a receiver that comes back with a new id, on one lane", () => {
    const own = [a(11, "joined", "id-1"), a(40, "left", "id-1"), a(61, "joined", "id-2")];
    const discoverys = [d(10, "registered", "id-1"), d(41, "left", "id-1"), d(60, "registered", "id-2")];
    fc.assert(
      fc.property(fc.shuffledSubarray([...own, ...discoverys], { minLength: 6 }), (events) => {
        const ordered = events.filter(({ process }) => process === "receiver-a").sort((x, y) => x.at - y.at);
        // Of one process they come in order; those of the other come anywhere between.
        const merged = events.map((event) => (event.process === "receiver-a" ? ordered.shift() : event));
        const model = after(...(merged as TraceEvent[]));
        const [receiver, ...others] = processesOf(model).filter(({ role }) => role === "receiver");
        assert.deepEqual(others, []);
        assert.deepEqual(receiver?.lives, [{ from: 10, to: 40, how: "left" }, { from: 60 }]);
        assert.deepEqual(receiver?.ids, [
          { id: "id-1", at: 10 },
          { id: "id-2", at: 60 },
        ]);
        assert.equal(model.byId.get("id-1"), receiver);
        assert.equal(model.byId.get("id-2"), receiver);
      }),
    );
  });

  test("go on when an old id expires after the new one was given", () => {
    const model = after(a(10, "joined", "id-1"), a(20, "joined", "id-2"), d(50, "expired", "id-1"));
    assert.deepEqual(model.byName.get("receiver-a")?.lives, [{ from: 10 }]);
  });

  test("end by a crash when the process dies, whatever discovery finds out later", () => {
    const exit = a(20, "fault", "id-1", { message: "m", attempt: 1, fault: "exit", from: "c" });
    const model = after(a(10, "joined", "id-1"), exit, d(50, "expired", "id-1"));
    assert.deepEqual(model.byName.get("receiver-a")?.lives, [{ from: 10, to: 20, how: "crashed" }]);
    const omission = { ...exit, fault: "silent" };
    assert.equal(goneOf(after(omission).byName.get("receiver-a") ?? { lives: [] }), undefined);
  });

  test("of a replaced entry end when the new one begins", () => {
    const model = after(
      a(10, "joined", "id-1"),
      d(30, "replaced", "id-1"),
      d(30, "registered", "id-2"),
      a(31, "joined", "id-2"),
    );
    assert.deepEqual(model.byName.get("receiver-a")?.lives, [
      { from: 10, to: 30, how: "replaced" },
      { from: 30 },
    ]);
  });

  test("of discovery end when the monitor doesn't reach it, and begin anew; the monitor is no process", () => {
    const about = (at: number, event: TraceEvent["event"], from: string) =>
      told("monitor", at, event, { from });
    const model = after(
      d(10, "started"),
      about(20, "unreachable", "discovery"),
      about(30, "reachable", "discovery"),
      about(35, "unreachable", "nobody"),
      d(40, "stopped"),
    );
    assert.deepEqual([...model.byName.keys()], ["discovery"]);
    assert.deepEqual(model.byName.get("discovery")?.lives, [
      { from: 10, to: 20, how: "unreachable" },
      { from: 30, to: 40, how: "stopped" },
    ]);
  });

  test("are at most 50 of one process, as are its ids, and the ids that lead to it", () => {
    const model = newModel();
    for (let n = 0; n < 10_000; n++) {
      apply(model, a(10 * n + 1, "joined", `id-${n}`));
      apply(model, a(10 * n + 5, "left", `id-${n}`));
    }
    const process = model.byName.get("receiver-a");
    assert.equal(process?.lives.length, 50);
    assert.deepEqual(process?.lives.at(-1), { from: 99_991, to: 99_995, how: "left" });
    assert.equal(process?.ids.length, 50);
    assert.equal(process?.turns.length, 100);
    assert.equal(model.byId.size, 50);
    assert.equal(model.oldIds, 49);
  });

  test("leave their ids behind, which all lead to them, however many there are in all", () => {
    const model = newModel();
    for (let n = 0; n < 2000; n++)
      apply(model, told(`receiver-${n % 400}`, n + 1, "joined", { receiver: `id-${n}` }));
    assert.equal(model.byId.size, 2000);
    assert.equal(model.oldIds, 1600);
    assert.equal(model.byId.get("id-7")?.name, "receiver-7");
  });

  test("begin with the clearing, of those who are there", () => {
    const model = after(a(10, "joined", "id-1"), d(10, "started"), told("c", 10, "started"));
    clear(model, 100);
    assert.deepEqual(
      processesOf(model).map(({ name, lives }) => [name, lives]),
      [
        ["receiver-a", [{ from: 100 }]],
        ["discovery", [{ from: 100 }]],
      ],
    );
  });
});

describe("a client", () => {
  const HOUR = 3_600_000;

  test("that waits at its prompt for an hour is there, by its own word or by the monitor's", () => {
    const model = after(told("told", 1, "started"), told("silent", 1, "listed"));
    applyClients(model, ["listed"], 1);
    applyClients(model, ["listed"], HOUR);
    forgetGone(model, 2 * HOUR); // a page that is hidden doesn't ask
    assert.deepEqual([...model.byName.keys()], ["told", "listed"]);
  });

  test("that ended is kept for a while, and is back when it starts again", () => {
    const model = after(told("c", 1, "started"), told("c", 100, "stopped"));
    forgetGone(model, 300_100);
    assert.deepEqual(model.byName.get("c")?.lives, [{ from: 1, to: 100, how: "stopped" }]);
    apply(model, told("c", 300_100, "started"));
    forgetGone(model, HOUR);
    assert.deepEqual(model.byName.get("c")?.lives.at(-1), { from: 300_100 });
    apply(model, told("monitor", HOUR, "unreachable", { from: "c" }));
    forgetGone(model, HOUR + 300_001);
    assert.equal(model.byName.size, 0);
  });

  test("that ended keeps its lane for as long as its messages are shown, and so does their receiver", () => {
    const about = { message: "m", attempt: 1, receiver: "id-1" };
    const model = after(a(1, "joined", "id-1"), told("c", 1, "started"), told("c", 2, "sent", about));
    for (const event of [a(3, "joined", "id-2"), a(4, "left", "id-2"), told("c", 5, "stopped")])
      apply(model, event);
    forgetGone(model, HOUR);
    assert.deepEqual([...model.byName.keys()], ["receiver-a", "c"]);
    assert.deepEqual([...model.byId.keys()], ["id-1", "id-2"]);
    clear(model, HOUR);
    assert.equal(model.byName.size, 0);
  });

  test("of 100,000 names that the monitor lists, at most 1,200 are kept", () => {
    const model = newModel();
    applyClients(
      model,
      Array.from({ length: 100_000 }, (_, n) => `c-${n}`),
      1,
    );
    assert.ok(model.byName.size <= 1200, `${model.byName.size}`);
    assert.equal(model.byName.size + model.crowd.clients.size, 100_000);
  });
});

describe("discovery's list", () => {
  test("that is older than the news doesn't bring back who has left", () => {
    const model = after(a(10_000, "joined", "id-1"), a(50_000, "left", "id-1"));
    applyList(model, [{ id: "id-1", host: "a", port: 1, last_seen: 40 }], 50_500);
    assert.equal(goneOf(model.byName.get("receiver-a") ?? { lives: [] })?.how, "left");
    applyList(model, [{ id: "id-1", host: "a", port: 1, last_seen: 60 }], 60_500);
    assert.equal(goneOf(model.byName.get("receiver-a") ?? { lives: [] }), undefined);
  });

  test("that still has an old id says nothing about who has a new one", () => {
    const model = after(a(10, "joined", "id-1"), a(20, "joined", "id-2"));
    applyList(model, [{ id: "id-1", host: "a", port: 1, last_seen: 0.01 }], 30);
    applyList(model, [], 40);
    assert.equal(model.byName.get("receiver-a")?.id, "id-2");
    assert.equal(goneOf(model.byName.get("receiver-a") ?? { lives: [] }), undefined);
  });

  test("of a discovery that began anew says nothing of a receiver until it had a lease to register anew", () => {
    const listed = [{ id: "id-1", host: "a", port: 1, last_seen: 10 }];
    const restarted = () => {
      const model = after(d(1, "started"), a(10_000, "joined", "id-1", { lease: 30_000 }));
      applyList(model, listed, 11_000);
      for (const event of [d(20_000, "stopped"), d(21_000, "started")]) apply(model, event);
      applyList(model, [], 22_000);
      return model;
    };
    const model = restarted();
    apply(model, a(25_000, "joined", "id-2"));
    assert.deepEqual(model.byName.get("receiver-a")?.lives, [{ from: 10_000 }]);

    const dead = restarted();
    applyList(dead, [], 50_000);
    assert.equal(goneOf(dead.byName.get("receiver-a") ?? { lives: [] }), undefined);
    applyList(dead, [], 51_000);
    assert.deepEqual(goneOf(dead.byName.get("receiver-a") ?? { lives: [] }), { at: 51_000, how: "expired" });
  });
});

describe("receivers", () => {
  const named = (name: string, at: number) =>
    told(name, at, "joined", { receiver: `id-${name}`, note: "h:1" });

  test("stand in the order of their names, as in the client's list, in the group and in the diagram", () => {
    const model = after(
      ...["receiver-10", "receiver-2", "receiver-0"].map((name, index) => named(name, index + 1)),
    );
    apply(model, told("client-1", 5, "started"));
    const { lanes } = layOutLanes(model, { from: 0, to: 100, width: 800 });
    const names = ["client-1", "receiver-0", "receiver-2", "receiver-10"];
    assert.deepEqual(
      lanes.map(({ process }) => process.name),
      names,
    );
    assert.deepEqual(
      processesOf(model)
        .filter(({ role }) => role === "receiver")
        .toSorted(byOwnName)
        .map(ownName),
      names.slice(1),
    );
  });

  test("that only discovery told of have no name but their id, and come first", () => {
    const model = after(named("receiver-0", 1), d(2, "registered", "id-x"));
    assert.deepEqual(
      processesOf(model)
        .filter(({ role }) => role === "receiver")
        .toSorted(byOwnName)
        .map(ownName),
      ["", "receiver-0"],
    );
  });
});
