/** The time axis of the monitor's diagram: what is linear, what is folded, and that nothing is turned round. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { activityOf } from "../monitor/activity.js";
import { apply } from "../monitor/model.js";
import { createAxis, FOLD_PX, heightOf, seamsOf, timeAt, yOf } from "../monitor/time_axis.js";
import type { TraceEvent } from "../trace/events.ts";
import { newModel } from "./page_helpers.ts";

const T0 = 1_700_000_000_000;

/** Activity in order with gaps of more than 2 s between, a time that is now, a zoom. */
const views = fc
  .record({
    parts: fc.array(
      fc.record({
        gap: fc.integer({ min: 2001, max: 600_000 }),
        length: fc.integer({ min: 0, max: 20_000 }),
      }),
      { maxLength: 8 },
    ),
    silence: fc.integer({ min: 0, max: 3_600_000 }),
    pxPerMs: fc.double({ min: 0.0001, max: 10, noNaN: true }),
  })
  .map(({ parts, silence, pxPerMs }) => {
    let at = T0;
    const activity = parts.map(({ gap, length }) => {
      const from = at + gap;
      at = from + length;
      return { from, to: at };
    });
    const now = at + silence;
    return { activity, now, pxPerMs, axis: createAxis(activity, { now, pxPerMs }) };
  });
const times = fc.integer({ min: -10_000, max: 10_000_000 }).map((after) => T0 + after);

describe("the time axis", () => {
  test("is monotone, and has an inverse", () => {
    fc.assert(
      fc.property(views, times, times, ({ axis, now }, a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        assert.ok(yOf(axis, first) <= yOf(axis, second));
        if (first + 1 < second) assert.ok(yOf(axis, first) < yOf(axis, second));
        for (const at of [a, b, now]) {
          const gone = Math.abs(timeAt(axis, yOf(axis, at)) - at);
          assert.ok(gone < 1, `${gone} ms away`);
        }
      }),
    );
  });

  test("is linear outside of folds, at the scale that it says", () => {
    fc.assert(
      fc.property(
        views,
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ axis, activity, now, pxPerMs }, part) => {
          for (const { from, to } of activity) {
            const at = from + (Math.min(to, now) - from) * part;
            assert.ok(Math.abs(yOf(axis, at) - yOf(axis, from) - (at - from) * pxPerMs) < 0.01);
          }
          assert.ok(Math.abs(yOf(axis, now + 1000) - yOf(axis, now) - 1000 * pxPerMs) < 0.01, "after now");
        },
      ),
    );
  });

  test("is as high as its activity and one seam for each gap, however long that is", () => {
    fc.assert(
      fc.property(views, ({ axis, activity, pxPerMs }) => {
        const active = activity.reduce((sum, { from, to }) => sum + to - from, 0);
        const most = active * pxPerMs + (activity.length + 1) * FOLD_PX;
        assert.ok(heightOf(axis) <= most + 0.01);
      }),
    );
  });

  test("stands still while nothing happens; only the seam's time grows", () => {
    const activity = [{ from: T0, to: T0 + 100 }];
    const axisAt = (now: number) => createAxis(activity, { now: T0 + now, pxPerMs: 0.04 });
    const heights = [3000, 60_000, 600_000].map((now) => heightOf(axisAt(now)));
    assert.deepEqual(heights, [4 + FOLD_PX, 4 + FOLD_PX, 4 + FOLD_PX]);
    const [seam] = seamsOf(axisAt(600_000));
    assert.deepEqual([seam?.from, seam?.to], [T0 + 100, T0 + 600_000]);
    assert.deepEqual(seamsOf(axisAt(2000)), [], "a gap of less than two seconds is none");
  });

  test("only ever moves up while what is over stays over", () => {
    fc.assert(
      fc.property(views, fc.integer({ min: 0, max: 100_000 }), ({ activity, now, pxPerMs, axis }, later) => {
        assert.ok(heightOf(createAxis(activity, { now: now + later, pxPerMs })) >= heightOf(axis) - 0.01);
      }),
    );
  });
});

describe("activity", () => {
  const event = (process: string, name: string, at: number, details: Partial<TraceEvent> = {}): TraceEvent =>
    ({ process, clock: at, event: name, at, ...details }) as TraceEvent;
  const ofMessage = { message: "m", receiver: "id-a", attempt: 1, timeout: 5000 };
  const view = { start: 0, heartbeats: false };

  test("is from the sending to the ack, and who comes and goes; no heartbeat", () => {
    const model = newModel();
    const tell = (...told: Parameters<typeof event>) => apply(model, event(...told));
    tell("discovery", "registered", 1000, { receiver: "id-a" });
    tell("client-1", "sent", 10_000, ofMessage);
    assert.deepEqual(activityOf(model, view).at(-1), { from: 10_000, to: 15_000 }, "while it waits");
    tell("receiver-a", "acked", 10_400, ofMessage);
    tell("client-1", "ack received", 10_500, { ...ofMessage, heard: 10_400 });
    tell("discovery", "heartbeat", 20_000, { receiver: "id-a" });
    tell("discovery", "left", 30_000, { receiver: "id-a" });
    assert.deepEqual(
      activityOf(model, view).filter(({ from }) => from > 5000),
      [
        { from: 10_000, to: 10_500 },
        { from: 30_000, to: 30_000 },
      ],
    );
    assert.ok(activityOf(model, { ...view, heartbeats: true }).some(({ from }) => from === 20_000));
    const since = activityOf(model, { ...view, start: 10_200 })[0];
    assert.deepEqual(since, { from: 10_200, to: 10_500 }, "nothing before the start");
  });
});
