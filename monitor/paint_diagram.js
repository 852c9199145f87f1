/**
 * One frame of the diagram: which time is in view now, what is there, and the painting of all of it. page.js
 * calls it for each frame.
 *
 * @typedef {import("./diagram.js").Diagram} Diagram
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 */
import { NAMES_HEIGHT } from "./diagram.js";
import { layOutLanes } from "./lanes.js";
import { layOut } from "./layout.js";
import { paintNames, paintTime, SLANTED_BELOW } from "./paint_axes.js";
import { paintShapes } from "./paint_shapes.js";
import { PX_PER_MS } from "./scale.js";
import { beginningOf, printable, short, shortName } from "./short_names.js";
import { text } from "./text.js";

const SLANTED_HEIGHT = 92;
const BELOW_NOW_PX = 36; // so that what happens now isn't at the very edge
const MEASURED_ABOVE = 500; // shapes
const ROLE_COLORS = { client: "#f28c28", discovery: "#8e5bd0", receiver: "#ffd54a" };

/**
 * Paints what is in view, unless it is there already.
 * @param {Diagram} diagram @param {Model} model
 * @param {{ now: number, clientOnly: boolean, heartbeats: boolean }} view
 */
export function paintDiagram(diagram, model, { now, clientOnly, heartbeats }) {
  const startedAt = performance.now();
  if (!diagram.isStale && (diagram.paused || startedAt < diagram.notBefore)) return;
  const { width, height } = diagram.size;
  const from = scrollToNow(diagram, now);
  const to = from + (height - diagram.namesHeight) / PX_PER_MS;
  const view = { from, to, now, width, clientOnly, heartbeats };
  const layout = layOutLanes(model, view);
  diagram.namesHeight = layout.gap < SLANTED_BELOW ? SLANTED_HEIGHT : NAMES_HEIGHT;
  diagram.spacer.style.width = `${Math.floor(layout.width)}px`;
  diagram.more = layout.more;
  diagram.shapes = layOut(model, view, layout);
  diagram.isStale = false;
  const names = layout.lanes.map(({ process, x }) => ({ ...nameOf(process, clientOnly, layout.gap), x }));
  paintAll(diagram, { from, names, gap: layout.gap, selected: model.selected });
  // Painting takes at most a quarter of the time: the more there is, the less often. What was asked of
  // a canvas is only done when it is shown or, to know how long it takes, when a pixel is read.
  if (diagram.shapes.length > MEASURED_ABOVE) diagram.ctx.getImageData(0, 0, 1, 1);
  const endedAt = performance.now();
  diagram.notBefore = endedAt + 3 * (endedAt - startedAt);
}

/** Scrolls down to now, unless it is paused. @param {Diagram} diagram @param {number} now @returns the time at the top of what is in view */
function scrollToNow(diagram, now) {
  const { size, scroll, spacer } = diagram;
  if (diagram.start === 0) diagram.start = now - (size.height - NAMES_HEIGHT - BELOW_NOW_PX) / PX_PER_MS;
  if (diagram.paused) return diagram.start + scroll.scrollTop / PX_PER_MS;
  const needed = diagram.namesHeight + (now - diagram.start) * PX_PER_MS + BELOW_NOW_PX;
  const above = Math.max(0, needed - size.height);
  spacer.style.height = `${Math.ceil(above)}px`;
  diagram.scrolledTo = Math.ceil(above);
  scroll.scrollTop = diagram.scrolledTo;
  return diagram.start + above / PX_PER_MS;
}

/**
 * @param {Diagram} diagram
 * @param {{ from: number, names: import("./paint_axes.js").Name[], gap: number, selected: string | undefined }} what
 */
function paintAll(
  { ctx, size: { width, height }, scroll, namesHeight, shapes },
  { from, names, gap, selected },
) {
  const left = scroll.scrollLeft;
  ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.save();
  ctx.translate(0, namesHeight);
  paintTime(ctx, { from, width, height: height - namesHeight });
  paintShapes(ctx, shapes, { left, width, height, selected });
  ctx.restore();
  paintNames(ctx, names, { left, gap, width, height: namesHeight });
}

/** @param {Process} process @param {boolean} clientOnly @param {number} gap */
function nameOf({ role, name, id, address, gone }, clientOnly, gap) {
  const isGone = gone !== undefined && !clientOnly;
  const detail = isGone ? text(gone.how) : (address ?? "");
  const titles = {
    discovery: text("discovery"),
    client: gap < 130 ? shortName(name) : beginningOf(name, 15),
    receiver: short(id ?? name),
  };
  return {
    title: titles[role],
    detail: role === "receiver" ? printable(detail.slice(-20)) : "",
    color: ROLE_COLORS[role],
    gone: isGone,
  };
}
