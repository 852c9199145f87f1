/** The shapes of the monitor's space-time diagram: what is drawn where, and that it claims nothing that isn't known. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { activityOf } from "../monitor/activity.js";
import type { Diagram } from "../monitor/diagram.js";
import { exportSvg } from "../monitor/export_diagram.js";
import { layOutLanes } from "../monitor/lanes.js";
import { type Arrow, layOut, type Mark, type Shape } from "../monitor/layout.js";
import { MOST_LATE_PX } from "../monitor/least_slopes.js";
import { marksIn } from "../monitor/marks.js";
import { apply } from "../monitor/model.js";
import { paintShapes } from "../monitor/paint_shapes.js";
import { createSvgPen } from "../monitor/svg_pen.js";
import { scaleOf, ticksOf } from "../monitor/ticks.js";
import { createAxis, heightOf, timeAt, yOf } from "../monitor/time_axis.js";
import { viewOf, yIn } from "../monitor/view_of.js";
import {
  fitAll,
  fitMessage,
  follow,
  jumpTo,
  leastShownMs,
  panBy,
  placeView,
  resetZoom,
  showMessage,
  zoomBy,
} from "../monitor/zoom.js";
import type { TraceEvent } from "../trace/events.ts";
import { newModel } from "./page_helpers.ts";

const T0 = 1_700_000_000_000;
type Details = Partial<Omit<TraceEvent, "event">>;
type Told = [process: string, event: string, after: number, details?: Details];
const m = { message: "m", receiver: "id-a", attempt: 1, timeout: 2000 };
const registered = ["a", "b", "c"].map(
  (name): Told => ["discovery", "registered", 0, { receiver: `id-${name}`, note: "a:1", lease: 30_000 }],
);

function modelOf(told: Told[]) {
  const model = newModel();
  told.forEach(([process, event, after, details], index) => {
    apply(model, { process, event, at: T0 + after, clock: index + 1, ...details } as TraceEvent);
  });
  return model;
}

/** What is drawn of all of it, all of the time in view. */
function draw(told: Told[], { after = 10_000, pxPerMs = 0.04, clientOnly = false, width = 700 } = {}) {
  const model = modelOf([...registered, ...told]);
  const now = T0 + after;
  const axis = createAxis(activityOf(model, { start: 0, heartbeats: false }), { now, pxPerMs });
  const size = { top: 0, width, height: heightOf(axis) + 100 };
  const view = viewOf({ axis, ...size, now, clientOnly, heartbeats: false });
  const layout = layOutLanes(model, view);
  const shapes = layOut(model, view, layout);
  const arrows = shapes.filter((shape): shape is Arrow => shape.kind === "arrow");
  const marks = shapes.filter((shape): shape is Mark => shape.kind === "mark");
  const xOf = (name: string) =>
    layout.lanes.find(({ process }) => [process.id, process.name].includes(name))?.x ?? 0;
  return { model, view, layout, shapes, arrows, marks, xOf, y: (ms: number) => yOf(axis, T0 + ms) };
}

const sent: Told = ["client-1", "sent", 1000, m];
const received: Told = ["receiver-a", "received", 1001, m];
const timedOut: Told = ["client-1", "timed out", 3000, m];
const fault = (name: string): Told => ["receiver-a", "fault", 1002, { ...m, fault: name }];

describe("a send to the group", () => {
  test("is one act: an ack that comes at once doesn't keep the next member's message", () => {
    const toAt = (after: number): Told[] => [
      ["client-1", "sent", 1000, m],
      received,
      ["receiver-a", "acked", 1001, { ...m, clock: 77 }],
      ["client-1", "ack received", 1001, { ...m, heard: 77 }],
      ["client-1", "sent", after, { ...m, receiver: "id-b" }],
    ];
    const dropOf = (after: number) => {
      const { arrows, y } = draw(toAt(after));
      const toB = arrows.findLast(({ what }) => what === "message");
      return (toB?.from.y ?? 0) - y(after);
    };
    assert.deepEqual([1001, 1004, 1100].map(dropOf), [0, 0, 0]);
    assert.ok(dropOf(1300) > 0, "long after it, the order of what happens on a lane is kept");
  });
});

describe("the lease of a receiver that crashed", () => {
  const exit: Told = ["receiver-a", "fault", 1002, { ...m, from: "client-1", fault: "exit" }];
  const expired: Told = ["discovery", "expired", 7000, { receiver: "id-a" }];

  test("has a mark where it expired, on the dead lane: until then it was in the list", () => {
    const { marks, xOf, view } = draw([sent, received, exit, expired]);
    const found = marks.filter(({ mark }) => ["crash", "expired"].includes(mark));
    assert.deepEqual(
      found.map(({ mark, label, x }) => [mark, label, x]),
      [
        ["crash", "crashed", xOf("id-a")],
        ["expired", "expired", xOf("id-a")],
      ],
    );
    assert.equal(found[1]?.y, yIn(view, T0 + 7000));
    assert.ok(
      view.axis.pieces.some(({ from, isFold }) => from === T0 + 7000 && !isFold),
      "not folded away",
    );
    assert.ok(!draw([sent, received, exit]).marks.some(({ mark }) => mark === "expired"));
    assert.ok(
      !draw([sent, received, exit, expired], { clientOnly: true }).marks.some(
        ({ mark }) => mark === "expired",
      ),
    );
  });

  test("has no second mark where it is the lease that ended the lane", () => {
    assert.equal(draw([sent, received, expired]).marks.filter(({ mark }) => mark === "expired").length, 1);
  });

  test("of an old id is none of a process that lives", () => {
    const anew: Told = ["receiver-a", "joined", 3000, { receiver: "id-a2" }];
    assert.ok(!draw([sent, received, exit, anew, expired]).marks.some(({ mark }) => mark === "expired"));
  });
});

describe("a label", () => {
  /** What is written in the picture, and at which height; each label has an outline, which comes first. */
  const wordsIn = ({ shapes, view: { width, height } }: ReturnType<typeof draw>) => {
    const svg = createSvgPen();
    paintShapes(svg.pen, shapes, { left: 0, width, height, selected: undefined });
    const texts = svg.write({ width, height }).matchAll(/<text x="[^"]*" y="([^"]*)"[^>]*>([^<]*)</g);
    return [...texts].map(([, y, words]) => ({ y: Number(y), words })).filter((_, index) => index % 2 === 1);
  };

  test("of a late duplicate ack is one, at its own arrow", () => {
    const told = [1, 2, 3, 4].flatMap((attempt): Told[] => [
      ["client-1", attempt > 1 ? "retried" : "sent", 700 * attempt, { ...m, attempt, timeout: 700 }],
      ["receiver-a", "received", 700 * attempt + 700, { ...m, attempt, duplicate: attempt > 1 }],
      [
        "receiver-a",
        "acked",
        700 * attempt + 701,
        { ...m, attempt, duplicate: attempt > 1, clock: 70 + attempt },
      ],
      ["client-1", "timed out", 700 * attempt + 699, { ...m, attempt }],
      [
        "client-1",
        "ack ignored",
        700 * attempt + 1400,
        { ...m, attempt: undefined, heard: 70 + attempt, duplicate: attempt > 1 },
      ],
    ]);
    const drawn = draw(told);
    const acks = drawn.arrows.filter(({ what }) => what === "ack");
    const late = wordsIn(drawn).filter(({ words }) => words?.startsWith("late"));
    assert.deepEqual(
      late.map(({ words }) => words),
      ["late", "late, dup", "late, dup", "late, dup"],
    );
    assert.deepEqual(
      late.map(({ y }, index) => Math.round(y - (acks[index]?.to.y ?? 0))),
      [16, 16, 16, 16],
    );
  });

  test("of a majority stands at its time, whatever came in then", () => {
    const members = ["a", "b"].flatMap((name, index): Told[] => [
      ["client-1", "sent", 1000, { ...m, receiver: `id-${name}` }],
      ["client-1", "ack received", 1010, { ...m, receiver: `id-${name}`, heard: 70 + index }],
    ]);
    const done: Told = [
      "client-1",
      "group acked",
      1010,
      { message: "m", need: 2, ackedBy: ["id-a", "id-b"] },
    ];
    for (const clientOnly of [false, true]) {
      const drawn = draw([...members, done], { clientOnly });
      const mark = drawn.marks.find((each) => each.mark === "majority");
      const label = wordsIn(drawn).find(({ words }) => words === "done: 2 acks were enough");
      assert.equal(label?.y, (mark?.y ?? 0) + 1, `clientOnly ${clientOnly}`);
    }
  });
});

describe("what is lost", () => {
  const toC = { ...m, receiver: "id-c" };

  test("ends just before its target's lane, at no other's, and names its target", () => {
    for (const width of [320, 700, 2560]) {
      const { arrows, xOf, layout } = draw(
        [
          ["client-1", "sent", 1000, toC],
          ["client-1", "timed out", 3000, toC],
        ],
        { width },
      );
      const [arrow] = arrows;
      assert.equal(arrow?.head, "cross");
      assert.equal(arrow.words, "lost on the way to id-c");
      assert.ok(arrow.to.x < xOf("id-c") && arrow.to.x >= xOf("id-c") - 15);
      for (const { x } of layout.lanes) assert.ok(Math.abs(arrow.to.x - x) > 7);
    }
  });

  test("looks the same when its receiver told that it dropped it", () => {
    const joined: Told = ["receiver-a", "joined", 0, { receiver: "id-a" }];
    const told = draw([joined, sent, ["receiver-a", "fault", 1001, { ...m, fault: "lost" }], timedOut]);
    const untold = draw([joined, sent, timedOut]);
    assert.deepEqual(told.arrows, untold.arrows);
    assert.deepEqual(told.marks, []);
  });

  test("is an ack too, which ends just before its client's lane", () => {
    const { arrows, xOf } = draw([
      sent,
      received,
      ["receiver-a", "processed", 1002, m],
      fault("lost-ack"),
      timedOut,
    ]);
    const ack = arrows.find(({ what }) => what === "ack");
    assert.equal(ack?.head, "cross");
    assert.equal(ack.words, "ack lost on the way to 1");
    assert.ok(ack.to.x > xOf("client-1") && ack.to.x <= xOf("client-1") + 15);
  });

  test("of an ack whose client has ended says that, at once", () => {
    const { arrows } = draw(
      [sent, received, ["client-1", "stopped", 1100], ["receiver-a", "acked", 1200, m]],
      { after: 1300 },
    );
    const ack = arrows.find(({ what }) => what === "ack");
    assert.deepEqual([ack?.head, ack?.words], ["cross", "the client had ended"]);
  });

  test("isn't yet what is on its way: that ends between two lanes", () => {
    const { arrows, layout } = draw([["client-1", "sent", 1000, toC]], { after: 1100 });
    assert.equal(arrows[0]?.head, "none");
    for (const { x } of layout.lanes) assert.ok(Math.abs((arrows[0]?.to.x ?? x) - x) > 20);
  });
});

describe("what happens on a lane", () => {
  const marksOf = (...told: Told[]) => draw(told).marks.map(({ mark, label }) => [mark, label]);

  test("an omission is a mark where the message arrived, and the lane goes on", () => {
    const { arrows, marks, shapes, xOf } = draw([sent, received, fault("silent"), timedOut]);
    assert.deepEqual(
      arrows.map(({ head, to }) => [head, to.x]),
      [["filled", xOf("id-a")]],
    );
    assert.deepEqual(
      marks.map(({ mark, label, x }) => [mark, label, x]),
      [["omission", "no answer", xOf("id-a")]],
    );
    const lanes = shapes.filter((shape) => shape.kind === "lane" && shape.x === xOf("id-a"));
    assert.deepEqual(
      lanes.map((lane) => "broken" in lane && lane.broken),
      [false],
    );
  });

  test("a crash ends the lane, not before the arrow that caused it", () => {
    const { arrows, marks, shapes, xOf } = draw([sent, received, fault("exit"), timedOut]);
    const crash = marks.find(({ mark }) => mark === "crash");
    assert.deepEqual([crash?.label, crash?.x], ["crashed", xOf("id-a")]);
    assert.ok((crash?.y ?? 0) >= (arrows[0]?.to.y ?? Number.POSITIVE_INFINITY));
    const lane = shapes.find((shape) => shape.kind === "lane" && shape.x === xOf("id-a"));
    assert.equal(lane?.kind === "lane" && lane.to, crash?.y);
  });

  test("each end has its own mark and word", () => {
    const about = { receiver: "id-a", note: "a:1" };
    assert.deepEqual(marksOf(["discovery", "left", 5000, about]), [["left", "left"]]);
    assert.deepEqual(marksOf(["discovery", "expired", 5000, about]), [["expired", "expired"]]);
    assert.deepEqual(marksOf(["discovery", "replaced", 5000, about]), [["replaced", "replaced"]]);
    assert.deepEqual(marksOf(sent, ["client-1", "stopped", 5000]), [["left", "ended"]]);
  });

  test("who doesn't answer has a dashed lane until it is back", () => {
    const { shapes, marks, xOf, y } = draw([
      ["monitor", "unreachable", 3000, { from: "discovery" }],
      ["monitor", "reachable", 6000, { from: "discovery" }],
    ]);
    assert.deepEqual(
      marks.map(({ mark, label }) => [mark, label]),
      [["unreachable", "does not answer"]],
    );
    const lanes = shapes.flatMap((shape) =>
      shape.kind === "lane" && shape.x === xOf("discovery") ? [shape] : [],
    );
    const seen = lanes.map(({ from, to, broken }) => [broken, from, to]);
    assert.deepEqual(seen.slice(0, 2), [
      [false, y(0), y(3000)],
      [true, y(3000), y(6000)],
    ]);
    assert.equal(seen[2]?.[0], false);
  });

  test("a new id says which it was before", () => {
    const joined = (receiver: string, after: number): Told => [
      "receiver-x",
      "joined",
      after,
      { receiver, note: "a:1" },
    ];
    const { marks, y, xOf } = draw([joined("old-id", 1000), joined("new-id", 4000)]);
    assert.deepEqual(
      marks.map(({ mark, label, x, y: at }) => [mark, label, x, at]),
      [["newId", "was old-id", xOf("new-id"), y(4000)]],
    );
  });

  test("a majority is told at the client's lane when it is there; what isn't needed any more has no cross", () => {
    const { arrows, marks, shapes, xOf } = draw([
      sent,
      ["client-1", "group acked", 1500, { message: "m", need: 1, ackedBy: ["id-b"] }],
      ["client-1", "gave up", 1501, { ...m, outcome: "unknown" }],
    ]);
    assert.deepEqual(
      marks.map(({ mark, label, x }) => [mark, label, x]),
      [["majority", "done: 1 ack was enough", xOf("client-1")]],
    );
    assert.deepEqual(
      arrows.map(({ head, words }) => [head, words]),
      [["none", "no longer needed"]],
    );
    const bar = shapes.find(({ kind }) => kind === "bar");
    assert.ok(bar?.kind === "bar" && bar.notNeeded);
    assert.ok(marksIn(shapes, { left: 0, width: 700, height: 500 }).has("notNeeded"));
  });

  test("an attempt that moved on to another receiver says so", () => {
    const { shapes } = draw([
      sent,
      timedOut,
      ["client-1", "retried", 3001, { ...m, receiver: "id-b", attempt: 2 }],
    ]);
    const link = shapes.find(({ kind }) => kind === "link");
    assert.equal(link?.kind === "link" && link.label, "moves on to id-b");
  });
});

describe("what the client knows", () => {
  const drawn = (...told: Told[]) => draw([sent, ...told], { clientOnly: true }).shapes;

  test("is the same of a lost message, a lost ack, an omission and a crash", () => {
    const processed: Told = ["receiver-a", "processed", 1002, m];
    const lost = drawn(fault("lost"), timedOut);
    assert.deepEqual(drawn(received, processed, fault("lost-ack"), timedOut), lost);
    assert.deepEqual(drawn(received, fault("silent"), timedOut), lost);
    assert.deepEqual(drawn(received, fault("exit"), timedOut), lost);
    assert.ok(lost.some((shape) => shape.kind === "arrow" && shape.head === "question"));
  });

  test("doesn't make the message slow when its ack is late: it looks the same whatever came", () => {
    const messageIn = (shapes: Shape[]) =>
      shapes.find((shape) => shape.kind === "arrow" && shape.what === "message");
    const ack: Told = ["client-1", "ack ignored", 5000, { ...m, heard: 99 }];
    assert.deepEqual(messageIn(drawn(timedOut, ack)), messageIn(drawn(timedOut)));
    const arrow = drawn(timedOut, ack).find((shape) => shape.kind === "arrow" && shape.what === "ack");
    assert.ok(arrow?.kind === "arrow" && arrow.late && arrow.to.y - arrow.from.y < 12);
  });

  test("is no arrow that ends at another's lane", () => {
    const { arrows, layout, xOf } = draw([["client-1", "sent", 1000, { ...m, receiver: "id-c" }]], {
      clientOnly: true,
    });
    for (const { x } of layout.lanes) assert.ok(Math.abs((arrows[0]?.to.x ?? x) - x) > 20);
    assert.ok((arrows[0]?.to.x ?? 0) > xOf("id-b"));
  });
});

describe("the least slope", () => {
  /** Round trips to three receivers, at any times, that take a little or nothing. */
  const conversations = fc.array(
    fc.record({
      start: fc.integer({ min: 1000, max: 3000 }),
      receiver: fc.constantFrom("a", "b", "c"),
      there: fc.integer({ min: 0, max: 400 }),
      back: fc.integer({ min: 0, max: 400 }),
    }),
    { maxLength: 30 },
  );

  test("never turns the order on a lane round, never points up, and shifts nothing far", () => {
    fc.assert(
      fc.property(conversations, fc.constantFrom(0.001, 0.04, 1, 10), (all, pxPerMs) => {
        const told = all.flatMap(({ start, receiver, there, back }, index): Told[] => {
          const about = { message: `m${index}`, receiver: `id-${receiver}`, attempt: 1, timeout: 5000 };
          const end = start + there + back;
          return [
            ["client-1", "sent", start, about],
            [`receiver-${receiver}`, "received", start + there, about],
            [`receiver-${receiver}`, "acked", start + there, { ...about, clock: 1000 + index }],
            ["client-1", "ack received", end, { ...about, heard: 1000 + index }],
          ];
        });
        const { arrows, y } = draw(told, { pxPerMs, after: 5000 });
        assert.equal(arrows.length, 2 * all.length);
        const onLanes = arrows.flatMap(({ what, from, to, message }) => {
          const { start, there, back } = all[Number(message.slice(1))] as (typeof all)[number];
          const [left, came] =
            what === "message" ? [start, start + there] : [start + there, start + there + back];
          assert.ok(to.y >= from.y, "it never points up");
          return [
            { ...from, at: left },
            { ...to, at: came },
          ];
        });
        onLanes.sort((a, b) => a.x - b.x || a.at - b.at);
        onLanes.forEach((point, index) => {
          const before = onLanes[index - 1];
          if (before?.x === point.x && before.at < point.at)
            assert.ok(before.y <= point.y + 0.001, "order is kept");
          const late = point.y - y(point.at);
          assert.ok(late > -0.001 && late < MOST_LATE_PX + 0.001, `${late} px late`);
        });
      }),
    );
  });

  test("gives way to the real one: at 10 px a millisecond 3 ms are 30 px", () => {
    const { arrows } = draw([sent, ["receiver-a", "received", 1003, m], timedOut], { pxPerMs: 10 });
    assert.equal((arrows[0]?.to.y ?? 0) - (arrows[0]?.from.y ?? 0), 30);
    assert.equal(leastShownMs({ pxPerMs: 0.04 } as Diagram), 300);
  });
});

describe("times and scale", () => {
  test("are at least 40 px apart, round, and few, at any zoom", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.0002, max: 10, noNaN: true }),
        fc.integer({ min: 0, max: 1e6 }),
        (pxPerMs, top) => {
          const axis = createAxis([{ from: T0, to: T0 + 3_600_000 }], { now: T0 + 3_600_000, pxPerMs });
          const view = viewOf({
            axis,
            top,
            width: 700,
            height: 500,
            now: T0 + 3_600_000,
            clientOnly: false,
            heartbeats: false,
          });
          const ticks = ticksOf(view);
          assert.ok(ticks.length <= 14);
          ticks.forEach(({ y, time }, index) => {
            assert.match(time, /^\d\d:\d\d(:\d\d|\.\d{3})$/, "minutes and seconds, always");
            assert.equal(time.length, ticks[0]?.time.length, "all in one form");
            const before = ticks[index - 1];
            if (before) assert.ok(y - before.y >= 39);
          });
          const { px } = scaleOf(pxPerMs);
          assert.ok(px <= 36);
        },
      ),
    );
    assert.deepEqual(scaleOf(10), { px: 20, time: "2 ms" });
    assert.deepEqual(scaleOf(0.04), { px: 20, time: "500 ms" });
  });
});

describe("which time is in view", () => {
  const told: Told[] = Array.from({ length: 20 }, (_, n): Told[] => {
    const about = { ...m, message: `m${n}` };
    return [
      ["client-1", "sent", 10_000 * n, about],
      ["client-1", "timed out", 10_000 * n + 2000, about],
    ];
  }).flat();
  const model = modelOf(told);

  function diagramOf() {
    const changes: boolean[] = [];
    const diagram = {
      ...{
        follows: true,
        pxPerMs: 0.04,
        anchor: { at: 0, y: 0 },
        now: T0 + 200_000,
        top: 0,
        namesHeight: 58,
      },
      ...{ size: { width: 700, height: 558 }, onChange: () => changes.push(diagram.follows) },
      activity: { seen: "", intervals: activityOf(model, { start: 0, heartbeats: false }) },
    } as unknown as Diagram;
    placeView(diagram);
    return { diagram, changes };
  }
  const yAt = (diagram: Diagram, after: number) => yOf(diagram.axis, T0 + after) - diagram.top;

  test("is now, until somebody pans back; a resize has no say", () => {
    const { diagram, changes } = diagramOf();
    const bottom = () => yAt(diagram, 200_000);
    assert.equal(bottom(), 500 - 44);
    diagram.size = { width: 320, height: 200 };
    placeView(diagram);
    assert.equal(bottom(), 142 - 44);
    assert.equal(panBy(diagram, 40), false, "there is nothing after now");
    assert.equal(diagram.follows, true);
    assert.equal(panBy(diagram, -40), true);
    assert.deepEqual([diagram.follows, changes], [false, [false]]);
    const seen = timeAt(diagram.axis, diagram.top);
    diagram.size = { width: 700, height: 558 };
    diagram.now += 1000;
    placeView(diagram);
    assert.equal(diagram.follows, false);
    assert.ok(Math.abs(timeAt(diagram.axis, diagram.top) - seen) < 30_000);
    follow(diagram);
    assert.equal(diagram.follows, true);
  });

  test("follows again when it is panned to the end, and stops at the beginning", () => {
    const { diagram } = diagramOf();
    panBy(diagram, -1e12);
    assert.equal(diagram.top, -24);
    assert.equal(panBy(diagram, -40), false);
    panBy(diagram, 1e12);
    assert.equal(diagram.follows, true);
  });

  test("keeps what is under the pointer while it is zoomed, from an hour in the window to 1 ms in 10 px", () => {
    const { diagram } = diagramOf();
    panBy(diagram, -800);
    const at = timeAt(diagram.axis, diagram.top + 200);
    zoomBy(diagram, 7, 200);
    assert.ok(Math.abs(yAt(diagram, at - T0) - 200) < 0.01);
    zoomBy(diagram, 1e9);
    assert.equal(diagram.pxPerMs, 10);
    zoomBy(diagram, 1e-9);
    assert.equal(diagram.pxPerMs, 500 / 3_600_000);
    resetZoom(diagram);
    assert.ok(Math.abs(diagram.pxPerMs - 0.04) < 1e-9);
  });

  test("stays at now while it follows and is zoomed", () => {
    const { diagram } = diagramOf();
    zoomBy(diagram, 5, 10);
    assert.equal(Math.round(yAt(diagram, 200_000)), 500 - 44);
    assert.equal(diagram.follows, true);
  });

  test("is that of a message that is asked for", () => {
    const { diagram } = diagramOf();
    showMessage(diagram, model, "m19");
    assert.equal(diagram.follows, true, "it is in view already");
    showMessage(diagram, model, "m3");
    const inView = () => [30_000, 32_000].map((after) => Math.round(yAt(diagram, after)));
    assert.deepEqual([diagram.follows, inView()], [false, [210, 290]]);
    fitMessage(diagram, model, "m3");
    assert.deepEqual(inView(), [60, 440], "all of it, as large as it can be");
    jumpTo(diagram, T0 + 100_000);
    assert.equal(Math.round(yAt(diagram, 100_000)), 250);
    fitMessage(diagram, model, "unknown");
    assert.equal(Math.round(yAt(diagram, 100_000)), 250);
    fitAll(diagram);
    assert.deepEqual(
      [0, 192_000].map(
        (after) => Math.round(yAt(diagram, after)) >= 0 && Math.round(yAt(diagram, after)) < 500,
      ),
      [true, true],
    );
  });
});

describe("the diagram as SVG", () => {
  test("is a whole file with names, arrows, times; what comes from outside is escaped", () => {
    const { shapes, view, layout } = draw([sent, timedOut]);
    const names = layout.lanes.map(({ x }) => ({
      title: `<script>"&'`,
      detail: "",
      x,
      color: "#000",
      gone: false,
    }));
    const rest = {
      left: 0,
      width: 700,
      height: 500,
      namesHeight: 58,
      gap: layout.gap,
      pxPerMs: 0.04,
      selected: undefined,
    };
    const svg = exportSvg({ frame: { shapes, names, ticks: ticksOf(view), ...rest } });
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="700" height="500"[^>]*>\n/);
    assert.match(svg, /<\/svg>\n$/);
    assert.ok(svg.includes("lost on the way to id-a"));
    assert.ok(svg.includes("&#60;script&#62;&#34;&#38;&#39;"));
    assert.ok(!/[‹›]/.test(svg), "all lanes are in it");
    const lastX = layout.lanes.at(-1)?.x ?? 0;
    const part = exportSvg({
      frame: { shapes, names, ticks: ticksOf(view), ...rest, left: lastX - 50, width: 20 },
    });
    assert.ok(part.includes(`‹ ${names.length - 1}<`) && part.includes("1 ›<"), "it says how many are not");
    assert.ok(!svg.includes("<script") && !svg.includes("NaN") && !svg.includes("undefined"));
  });
});
