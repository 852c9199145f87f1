/** What the teacher's desk did, in the page's model and in its diagram. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { activityOf } from "../monitor/activity.js";
import { type DeedShape, suspendedIn } from "../monitor/deeds.js";
import { createLabels } from "../monitor/labels.js";
import { layOutLanes } from "../monitor/lanes.js";
import { layOut } from "../monitor/layout.js";
import { LEGEND } from "../monitor/legend.js";
import { goneOf } from "../monitor/lives.js";
import { marksIn } from "../monitor/marks.js";
import { apply, clear } from "../monitor/model.js";
import { paintDeed } from "../monitor/paint_deeds.js";
import { createSvgPen } from "../monitor/svg_pen.js";
import { chooseLanguage } from "../monitor/text.js";
import { createAxis, heightOf, seamsOf } from "../monitor/time_axis.js";
import { viewOf } from "../monitor/view_of.js";
import { DESK_EVENTS, type DeskEvent, type TraceEvent } from "../trace/events.ts";
import { newModel, told } from "./page_helpers.ts";

const T0 = 1_700_000_000_000;
const joined = told("receiver-1", T0, "joined", { receiver: "id-1", note: "a:1" });
const did = (event: DeskEvent, after: number, details: Partial<TraceEvent> = {}) =>
  told("monitor", T0 + after, event, { from: "receiver-1", ...details });

/** What is drawn of all of it. */
function draw(events: TraceEvent[], clientOnly = false) {
  const model = newModel();
  for (const event of events) apply(model, event);
  const now = T0 + 60_000;
  const axis = createAxis(activityOf(model, { start: 0, heartbeats: false }), { now, pxPerMs: 0.04 });
  const size = { top: 0, width: 700, height: heightOf(axis) + 100 };
  const view = viewOf({ axis, ...size, now, clientOnly, heartbeats: false });
  const layout = layOutLanes(model, view);
  const shapes = layOut(model, view, layout);
  const deeds = shapes.filter((shape): shape is DeedShape => shape.kind === "deed");
  return { model, axis, layout, shapes, deeds, marks: marksIn(shapes, { left: 0, ...size }) };
}

const WORDS: Record<DeskEvent, [en: string, pt: string]> = {
  killed: ["killed", "morto"],
  suspended: ["suspended", "suspenso"],
  resumed: ["resumed", "retomado"],
  "told to end": ["told to end", "ordem de encerrar"],
  launched: ["started", "início"],
  "given fault": ["next: lost-ack", "próxima: lost-ack"],
  "given rate": ["fault rate 0.25", "taxa de falhas 0.25"],
};
for (const event of DESK_EVENTS) {
  for (const [index, language] of ["en", "pt"].entries()) {
    test(`a receiver that was ${event} has a mark at its lane, at that time, with words, ${language}`, () => {
      chooseLanguage(language);
      const details = { "given fault": { fault: "lost-ack" }, "given rate": { note: "0.25" } };
      const { deeds, layout, marks } = draw([joined, did(event, 1000, details[event as "given fault"])]);
      const [deed, ...others] = deeds;
      assert.deepEqual([deed?.label, deed?.x, others], [WORDS[event][index], layout.lanes[0]?.x, []]);
      assert.ok(deed && marks.has(deed.deed) && LEGEND[deed.deed], "the legend explains it");
      assert.equal(deed.y, 40, "a second below the top");
      const labels = createLabels({ left: 0, right: 700 });
      paintDeed(createSvgPen().pen, deed, labels);
      const sign = LEGEND[deed.deed][0];
      assert.deepEqual(
        labels.placed.map((label) => label.text),
        [`${sign} ${deed.label}`],
      );
      chooseLanguage("en");
    });
  }
}

test("a receiver that was killed is gone at that time, crashed; others stay", () => {
  const { model } = draw([joined, did("suspended", 500), did("killed", 1000)]);
  assert.deepEqual(goneOf(model.byName.get("receiver-1") ?? assert.fail()), {
    at: T0 + 1000,
    how: "crashed",
  });
  for (const event of DESK_EVENTS.filter((each) => each !== "killed")) {
    const { model } = draw([joined, did(event, 1000)]);
    assert.equal(goneOf(model.byName.get("receiver-1") ?? assert.fail()), undefined, event);
  }
});

test("a receiver is suspended until it is resumed", () => {
  const events = [joined, did("suspended", 500)];
  assert.deepEqual([...suspendedIn(draw(events).model)], ["receiver-1"]);
  assert.deepEqual([...suspendedIn(draw([...events, did("resumed", 900)]).model)], []);
});

test("what the desk did the client doesn't know; of whom nothing is known, nothing is drawn", () => {
  assert.deepEqual(draw([joined, did("suspended", 1000)], true).deeds, []);
  const { deeds, model } = draw([joined, did("killed", 1000, { from: "receiver-9" })]);
  assert.deepEqual([deeds, model.byName.has("receiver-9"), model.byName.has("monitor")], [[], false, false]);
});

test("time in which the desk did something is not folded away, before or after", () => {
  const { axis, deeds } = draw([joined, did("suspended", 20_000), did("resumed", 40_000)]);
  assert.equal(seamsOf(axis).length, 3);
  assert.deepEqual(
    deeds.map(({ deed }) => deed),
    ["suspended", "resumed"],
  );
});

test("what the desk did is kept 1,000 times, and cleared with the rest", () => {
  const many = Array.from({ length: 1001 }, (_, n) => did("suspended", n));
  const { model } = draw([joined, ...many]);
  assert.deepEqual([model.deeds.length, model.deeds[0]?.at], [1000, T0 + 1]);
  clear(model, T0 + 2000);
  assert.deepEqual(model.deeds, []);
});
