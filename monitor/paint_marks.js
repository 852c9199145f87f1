/**
 * Paints what happens on a lane: how it ends, an omission, a majority, a new id. Each has a shape of its own and
 * its word beside it. paint_shapes.js calls it.
 *
 * @typedef {import("./pen.js").Pen} Pen
 * @typedef {import("./layout.js").Mark} Mark
 * @typedef {import("./layout.js").Point} Point
 */
import { placeLabel, widthOf } from "./labels.js";
import { COLORS, line, paintCross } from "./pen.js";

/** @type {Record<Mark["mark"], string>} */
const MARK_COLORS = {
  ...{ omission: COLORS.crash, failed: COLORS.crash, crash: COLORS.crash, left: COLORS.muted },
  ...{ expired: COLORS.muted, replaced: COLORS.muted, unreachable: COLORS.muted },
  ...{ majority: COLORS.majority, newId: COLORS.muted },
};

/** @param {Pen} pen @param {Mark} mark */
export function paintMark(pen, { mark, x, y }) {
  PAINTERS[mark](pen, { x, y }, MARK_COLORS[mark]);
}

/** @param {Mark} mark @param {number} alpha @param {import("./labels.js").Labels} labels */
export function labelMark({ mark, x, y, label: text }, alpha, labels) {
  if (text === "") return;
  const look = /** @type {const} */ ("words");
  const words = { text, color: MARK_COLORS[mark], badge: false, alpha, look };
  const aside = 12 + widthOf(words) / 2;
  // At the right edge it is moved in, over its own mark, unless it is above or below.
  const beside = x + 2 * aside < labels.right ? [0] : [];
  placeLabel(labels, words, [
    ...[...beside, 14, -14, 26, -26, 40, -40].map((down) => ({ x: x + aside, y: y + down })),
    ...[0, 14, -14, 26, -26].map((down) => ({ x: x - aside, y: y + down })),
  ]);
}

/** @type {Record<Mark["mark"], (pen: Pen, at: Point, color: string) => void>} */
const PAINTERS = {
  crash: (pen, at, color) => paintCross(pen, at, { color, size: 8 }),
  /** A flat end: it went in good order. */
  left: (pen, { x, y }, color) => line(pen, { x: x - 10, y }, { x: x + 10, y }, { color, width: 4 }),
  /** An hourglass that has run out. */
  expired: (pen, { x, y }, color) => {
    const corners = [
      { x: x - 7, y: y - 8 },
      { x: x + 7, y: y - 8 },
      { x: x - 7, y: y + 8 },
      { x: x + 7, y: y + 8 },
    ];
    paintOutline(pen, corners, { color, fill: "#fff" });
  },
  /** Two bars: another stands where it was. */
  replaced: (pen, { x, y }, color) => {
    for (const down of [-3, 3])
      line(pen, { x: x - 10, y: y + down }, { x: x + 10, y: y + down }, { color, width: 2.5 });
  },
  /** A gap in the lane. */
  unreachable: (pen, { x, y }, color) => {
    pen.fillStyle = "#fff";
    pen.fillRect(x - 4, y - 3, 8, 6);
    for (const down of [-4, 4])
      line(pen, { x: x - 8, y: y + down - 3 }, { x: x + 8, y: y + down + 3 }, { color, width: 2 });
  },
  /** A circle with a bar: it lives, and does not answer. */
  omission: (pen, { x, y }, color) => {
    paintCircle(pen, { x, y }, color);
    line(pen, { x: x - 4, y }, { x: x + 4, y }, { color, width: 2.5 });
  },
  /** A plug that is pulled. */
  failed: (pen, { x, y }, color) => {
    paintCircle(pen, { x, y }, color);
    for (const aside of [-2, 2])
      line(pen, { x: x + aside, y: y - 3.5 }, { x: x + aside, y: y + 3.5 }, { color, width: 1.5 });
  },
  majority: (pen, { x, y }, color) => {
    const corners = [
      { x, y: y - 9 },
      { x: x + 9, y },
      { x, y: y + 9 },
      { x: x - 9, y },
    ];
    paintOutline(pen, corners, { color, fill: color });
  },
  newId: (pen, { x, y }, color) => line(pen, { x: x - 6, y }, { x: x + 6, y }, { color, width: 2 }),
};

/** @param {Pen} pen @param {Point} at @param {string} color */
function paintCircle(pen, { x, y }, color) {
  pen.beginPath();
  pen.arc(x, y, 7.5, 0, 2 * Math.PI);
  pen.fillStyle = "#fff";
  pen.fill();
  pen.strokeStyle = color;
  pen.lineWidth = 2.5;
  pen.stroke();
}

/** @param {Pen} pen @param {Point[]} corners @param {{ color: string, fill: string }} look */
function paintOutline(pen, corners, { color, fill }) {
  pen.beginPath();
  corners.forEach(({ x, y }, index) => {
    if (index === 0) pen.moveTo(x, y);
    else pen.lineTo(x, y);
  });
  pen.closePath();
  pen.fillStyle = fill;
  pen.fill();
  pen.strokeStyle = color;
  pen.lineWidth = 2;
  pen.stroke();
}
