/**
 * Paints one frame of the diagram: times, shapes, names. With a canvas as pen it is on the page, with another an SVG.
 * paint_diagram.js and export_diagram.js call it.
 *
 * @typedef {object} Frame
 * @property {import("./layout.js").Shape[]} shapes
 * @property {import("./paint_axes.js").Name[]} names
 * @property {import("./ticks.js").Tick[]} ticks
 * @property {number} gap between two lanes
 * @property {number} pxPerMs
 * @property {string | undefined} selected
 * @property {number} left how far it is scrolled to the side
 * @property {number} width
 * @property {number} height
 * @property {number} namesHeight
 */
import { paintNames, paintScale, paintTimes } from "./paint_axes.js";
import { paintShapes } from "./paint_shapes.js";
import { scaleOf } from "./ticks.js";

/** @param {import("./pen.js").Pen} pen @param {Frame} frame */
export function paintFrame(pen, frame) {
  const { shapes, names, ticks, gap, pxPerMs, selected, left, width, namesHeight } = frame;
  const height = frame.height - namesHeight;
  pen.clearRect(0, 0, width, frame.height);
  pen.save();
  pen.translate(0, namesHeight);
  paintTimes(pen, ticks, width);
  paintShapes(pen, shapes, { left, width, height, selected });
  paintScale(pen, scaleOf(pxPerMs), height);
  pen.restore();
  paintNames(pen, names, { left, gap, width, height: namesHeight });
}
