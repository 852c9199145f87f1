/**
 * One frame of the diagram: which time is in view now, what is there, and the painting of all of it, if anything
 * has changed. page.js calls it for each frame.
 *
 * @typedef {import("./diagram.js").Diagram} Diagram
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./layout.js").View} View
 */
import { activityOf } from "./activity.js";
import { layOutLanes } from "./lanes.js";
import { layOut } from "./layout.js";
import { goneOf } from "./lives.js";
import { marksIn } from "./marks.js";
import { SLANTED_BELOW } from "./paint_axes.js";
import { paintFrame } from "./paint_frame.js";
import { ownName } from "./receiver_names.js";
import { beginningOf, printable, short, shortName } from "./short_names.js";
import { languageCode, text } from "./text.js";
import { ticksOf } from "./ticks.js";
import { heightOf, seamsOf } from "./time_axis.js";
import { viewOf } from "./view_of.js";
import { heightIn, placeView } from "./zoom.js";

const [NAMES_HEIGHT, SLANTED_HEIGHT] = [58, 92];
const MEASURED_ABOVE = 500; // shapes
const ROLE_COLORS = { client: "#f28c28", discovery: "#8e5bd0", receiver: "#ffd54a" };

/**
 * Paints what is in view, unless it is there already.
 * @param {Diagram} diagram @param {Model} model
 * @param {{ now: number, clientOnly: boolean, heartbeats: boolean }} what
 */
export function paintDiagram(diagram, model, { now, clientOnly, heartbeats }) {
  const startedAt = performance.now();
  if (diagram.size.height === 0 || (!diagram.isStale && startedAt < diagram.notBefore)) return;
  diagram.now = now;
  takeActivity(diagram, model, heartbeats && !clientOnly);
  placeView(diagram);
  const painted = whatIsSeen(diagram, model, [clientOnly, heartbeats]);
  if (!diagram.isStale && painted === diagram.painted) return;
  const before = diagram.frame;
  const wasStale = diagram.isStale;
  Object.assign(diagram, { painted, isStale: false });
  layOutView(diagram, model, { clientOnly, heartbeats });
  // A heartbeat changes the model, and nothing that is seen here.
  if (!wasStale && isAlike(diagram.frame, before)) return;
  diagram.paints += 1;
  diagram.ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  if (diagram.frame) paintFrame(diagram.ctx, diagram.frame);
  tellMarks(diagram);
  // Painting takes at most a quarter of the time: the more there is, the less often. What was asked of
  // a canvas is only done when it is shown or, to know how long it takes, when a pixel is read.
  if (diagram.shapes.length > MEASURED_ABOVE) diagram.ctx.getImageData(0, 0, 1, 1);
  const endedAt = performance.now();
  diagram.notBefore = endedAt + 3 * (endedAt - startedAt);
}

/** Whether two frames are the same, if they are small enough to find that out. @param {Diagram["frame"]} a @param {Diagram["frame"]} b */
function isAlike(a, b) {
  if (!a || !b || a.shapes.length > MEASURED_ABOVE || a.shapes.length !== b.shapes.length) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

/** @param {Diagram} diagram @param {Model} model @param {boolean} heartbeats */
function takeActivity(diagram, model, heartbeats) {
  const { start } = diagram;
  const seen = `${model.version} ${start} ${heartbeats}`;
  if (seen === diagram.activity.seen) return;
  diagram.activity = { seen, intervals: activityOf(model, { start, heartbeats }) };
}

/**
 * All that the picture depends on. Of the time that is now: how far down it is, and the words of the last seam; while
 * nothing happens only those change, and only if they are in view.
 * @param {Diagram} diagram @param {Model} model @param {boolean[]} options
 */
function whatIsSeen(diagram, model, options) {
  const { axis, top, pxPerMs, scroll, size, activity } = diagram;
  const last = heightOf(axis);
  const isNowInView = last - top <= heightIn(diagram);
  const seam = seamsOf(axis).at(-1);
  const seconds = seam?.to === diagram.now ? Math.floor((seam.to - seam.from) / 1000) : 0;
  const nowSeen = isNowInView ? [Math.round(last * devicePixelRatio), seconds] : [];
  const place = [Math.round(top * devicePixelRatio), pxPerMs, scroll.scrollLeft, size.width, size.height];
  return [activity.seen, model.selected, languageCode(), ...options, ...place, ...nowSeen].join(" ");
}

/** @param {Diagram} diagram @param {Model} model @param {{ clientOnly: boolean, heartbeats: boolean }} options */
function layOutView(diagram, model, options) {
  const { axis, top, now, size, scroll, spacer, pxPerMs } = diagram;
  const view = viewOf({ ...options, axis, top, now, width: size.width, height: heightIn(diagram) });
  const layout = layOutLanes(model, view);
  const namesHeight = layout.gap < SLANTED_BELOW ? SLANTED_HEIGHT : NAMES_HEIGHT;
  if (namesHeight !== diagram.namesHeight) diagram.isStale = true; // now there is less room, or more
  spacer.style.width = `${Math.floor(layout.width)}px`;
  const shapes = layOut(model, view, layout);
  const names = layout.lanes.map((place) => nameOf(place, view, layout.gap));
  diagram.frame = {
    ...{ shapes, names, gap: layout.gap, ticks: ticksOf(view), pxPerMs, selected: model.selected },
    ...{ ...size, left: scroll.scrollLeft, namesHeight },
  };
  Object.assign(diagram, { namesHeight, shapes, more: layout.more });
}

/** @param {Diagram} diagram */
function tellMarks(diagram) {
  const { shapes, size, scroll, marks: before } = diagram;
  const view = { left: scroll.scrollLeft, width: size.width, height: heightIn(diagram) };
  diagram.marks = marksIn(shapes, view);
  if (diagram.marks.size !== before.size || [...diagram.marks].some((mark) => !before.has(mark)))
    diagram.onChange();
}

/** @param {import("./lanes.js").Place} place @param {View} view @param {number} gap */
function nameOf({ process, x }, { clientOnly }, gap) {
  const { role, name, id, address = "" } = process;
  const gone = clientOnly && role !== "client" ? undefined : goneOf(process);
  const titles = {
    discovery: text("discovery"),
    client: gap < 130 ? shortName(name) : beginningOf(name, 15),
    receiver: short(id ?? name),
  };
  const own = role === "receiver" ? ownName(process) : "";
  const alive = role === "receiver" ? own || address : "";
  const detail = gone ? [own, text(gone.how)].filter(Boolean).join(", ") : alive;
  return {
    title: titles[role],
    detail: printable(detail.slice(-20)),
    color: ROLE_COLORS[role],
    gone: gone !== undefined,
    x,
  };
}
