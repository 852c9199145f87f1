/** Which time the page shows: the events that it keeps, and playing them again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clearLog, countUntil, createEventLog, keepEvents } from "../monitor/event_log.js";
import type { Page } from "../monitor/page.js";
import {
  advance,
  createPlayer,
  goLive,
  openReplay,
  pause,
  play,
  showAt,
  shownAt,
  step,
  takeEvents,
  timesOf,
} from "../monitor/player.js";
import type { TraceEvent } from "../trace/events.ts";
import { newModel, told } from "./page_helpers.ts";

const sent = (at: number, message = `m-${at}`) =>
  told("client-1", at, "sent", { message, attempt: 1, receiver: "id-a", timeout: 5000 });

describe("the events that the page keeps", () => {
  test("are in the order of their time, those of one time in the order in which they came", () => {
    const log = createEventLog();
    keepEvents(log, [sent(5), sent(3)]);
    keepEvents(log, [sent(4), { ...sent(3), process: "later" }]);
    assert.deepEqual(
      log.events.map(({ at, process }) => `${at} ${process}`),
      ["3 client-1", "3 later", "4 client-1", "5 client-1"],
    );
    assert.deepEqual(
      [2, 3, 4, 9].map((at) => countUntil(log, at)),
      [0, 2, 3, 4],
    );
  });

  test("are at most 50,000, the newest", () => {
    const log = createEventLog();
    for (let at = 0; at < 120_000; at += 1000)
      keepEvents(
        log,
        Array.from({ length: 1000 }, (_, n) => sent(at + n)),
      );
    assert.equal(log.events.length, 50_000);
    assert.equal(log.events[0]?.at, 70_000);
    clearLog(log);
    assert.deepEqual(log, createEventLog());
  });

  test("are at most 16 MiB of JSON", () => {
    const log = createEventLog();
    const ackedBy = Array.from({ length: 4000 }, () => "x".repeat(125)); // half a MiB
    for (let at = 1; at <= 100; at++) {
      keepEvents(log, [told("c", at, "group acked", { message: "m", need: 1, ackedBy })]);
      assert.ok(log.length <= 16 * 1024 * 1024, `${log.length}`);
    }
    assert.ok(log.events.length > 20 && log.events.length < 34, `${log.events.length} events`);
    assert.equal(
      log.events.reduce((sum, event) => sum + JSON.stringify(event).length, 0),
      log.length,
    );
  });
});

/** A page without its pictures, whose clock says so. */
function pageAt(t: { mock: typeof import("node:test").mock }, at: number, ...events: TraceEvent[]) {
  t.mock.timers.enable({ apis: ["Date"], now: at });
  const page = {
    model: newModel(),
    player: createPlayer(),
    view: { clientOnly: false, heartbeats: false },
    ahead: 0,
  } as Page;
  takeEvents(page, events);
  return page;
}
const shown = ({ model }: Page) => model.attempts.map(({ message }) => message);

describe("the time that is shown", () => {
  test("is now, and what comes is shown at once", (t) => {
    const page = pageAt(t, 1000, sent(900));
    assert.deepEqual([shownAt(page), shown(page)], [1000, ["m-900"]]);
    assert.deepEqual(timesOf(page), { first: 900, last: 1000 });
  });

  test("stands still when it is paused; what comes waits and is counted; live, it is all there", (t) => {
    const page = pageAt(t, 1000, sent(900));
    pause(page);
    t.mock.timers.setTime(5000);
    assert.deepEqual(takeEvents(page, [sent(950), sent(2000), sent(3000)]).length, 1, "one was on its way");
    assert.deepEqual([shownAt(page), shown(page)], [1000, ["m-900", "m-950"]]);
    assert.equal(page.player.fresh, 2);
    goLive(page);
    assert.deepEqual([shownAt(page), shown(page).length, page.player.fresh], [5000, 4, 0]);
  });

  test("can be an earlier one, of which nothing later is known, and the open story stays open", (t) => {
    const page = pageAt(t, 5000, sent(1000), sent(2000), told("client-1", 4000, "stopped"));
    page.model.selected = "m-1000";
    const version = page.model.version;
    showAt(page, 1500);
    assert.deepEqual([shownAt(page), shown(page)], [1500, ["m-1000"]]);
    assert.deepEqual(page.model.byName.get("client-1")?.lives, [{ from: 1000 }]);
    assert.equal(page.model.selected, "m-1000");
    assert.ok(page.model.version > version, "so that it is painted anew");
    assert.deepEqual(showAt(page, 2000).length, 1);
    assert.deepEqual(shown(page), ["m-1000", "m-2000"]);
    showAt(page, -1);
    assert.equal(shownAt(page), 1000);
  });

  test("goes on at its speed, and is live again when it has come to now", (t) => {
    const page = pageAt(t, 5000, sent(1000), sent(2000));
    showAt(page, 1000);
    page.player.speed = 10;
    play(page);
    assert.deepEqual(
      advance(page, 100).map(({ at }) => at),
      [2000],
    );
    assert.equal(page.player.flight, 1000, "dots fly ten times as fast");
    pause(page);
    assert.deepEqual([advance(page, 100), shownAt(page), page.player.flight], [[], 2000, 1000]);
    play(page);
    advance(page, 1000);
    assert.ok(page.player.isLive);
  });

  test("goes from event to event, over heartbeats that nobody sees", (t) => {
    const beat = told("discovery", 1500, "heartbeat", { receiver: "id-a" });
    const page = pageAt(t, 5000, sent(1000), beat, sent(2000), sent(2000, "same time"), sent(3000));
    const times = [-1, -1, -1, -1, 1, 1].map((direction) => {
      step(page, direction as 1 | -1);
      return shownAt(page);
    });
    assert.deepEqual(times, [3000, 2000, 1000, 1000, 2000, 3000]);
    page.view.heartbeats = true;
    step(page, -1);
    step(page, -1);
    assert.equal(shownAt(page), 1500);
  });

  test("of a recorded run is its end at first; played, it begins anew, and ends", (t) => {
    const page = pageAt(t, 9_000_000);
    openReplay(page, { first: 1000, last: 3000 });
    takeEvents(page, [sent(3000), sent(1000)]);
    assert.deepEqual([shownAt(page), shown(page).length], [3000, 2]);
    goLive(page);
    assert.equal(page.player.isLive, false);
    play(page);
    assert.deepEqual([shownAt(page), page.player.isPlaying, shown(page)], [1000, true, ["m-1000"]]);
    advance(page, 500);
    assert.equal(shownAt(page), 1500);
    advance(page, 5000);
    assert.deepEqual([shownAt(page), page.player.isPlaying, shown(page).length], [3000, false, 2]);
  });

  test("is found within 100 ms among 50,000 events", (t) => {
    const page = pageAt(t, 100_000, ...conversation(50_000));
    assert.equal(page.player.log.events.length, 50_000);
    // What the processor took, not the clock: others may be at work here. The first times it is compiled.
    const times = [99_000, 98_000, 97_000, 96_000, 95_000, 94_000].map((at) => {
      const before = process.cpuUsage();
      showAt(page, at);
      return process.cpuUsage(before).user / 1000;
    });
    assert.ok(Math.min(...times) < 100, `${times.map((ms) => ms.toFixed(0))} ms`);
  });
});

/** Messages that are received, processed and acked, by ten receivers. */
function conversation(length: number): TraceEvent[] {
  return Array.from({ length }, (_, n) => {
    const [at, message, receiver] = [2 * n, `m-${Math.floor(n / 5)}`, `id-${Math.floor(n / 5) % 10}`];
    const about = { message, attempt: 1, receiver };
    const from = { ...about, from: "client-1" };
    const name = `receiver-${receiver}`;
    return [
      told("client-1", at, "sent", { ...about, timeout: 5000 }),
      told(name, at, "received", from),
      told(name, at, "processed", { ...from, note: "hello" }),
      told(name, at, "acked", about),
      told("client-1", at, "ack received", { ...about, heard: at - 2 }),
    ][n % 5] as TraceEvent;
  });
}
