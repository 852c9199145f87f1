/**
 * Paints what stands beside and above the diagram: the time, and the names of the processes.
 * paint_frame.js calls it.
 *
 * @typedef {import("./pen.js").Pen} Pen
 * @typedef {{ title: string, detail: string, x: number, color: string, gone: boolean }} Name
 */
import { COLORS, line } from "./pen.js";

/** Lanes that are closer than that have slanted names. */
export const SLANTED_BELOW = 76;
const SMALL = "13px system-ui, sans-serif";
const WIDE_FROM = 130; // from there on a name is written large
const DETAIL_LETTER = 7.5; // pixels that a letter of its detail takes

/** The times at the left, and a line for each. @param {Pen} pen @param {import("./ticks.js").Tick[]} ticks @param {number} width */
export function paintTimes(pen, ticks, width) {
  pen.font = SMALL;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  for (const tick of ticks) {
    const y = Math.round(tick.y) + 0.5;
    line(pen, { x: 0, y }, { x: width, y }, { color: "#eef0f3", width: 1 });
    pen.fillStyle = "#555b66";
    pen.fillText(tick.time, 2, y);
  }
}

/** How long a piece of the time axis is, at the bottom left. @param {Pen} pen @param {import("./ticks.js").Scale} scale @param {number} height */
export function paintScale(pen, { px, time }, height) {
  const [top, bottom] = [height - 4 - px, height - 4];
  pen.fillStyle = "#fff";
  pen.fillRect(0, height - 44, 66, 44);
  const look = { color: COLORS.text, width: 1.5 };
  line(pen, { x: 8, y: top }, { x: 8, y: bottom }, look);
  for (const y of [top, bottom]) line(pen, { x: 4, y }, { x: 12, y }, look);
  pen.font = SMALL;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.fillStyle = COLORS.text;
  pen.fillText(time, 17, (top + bottom) / 2);
}

/**
 * The names above the lanes; slanted where the lanes are close.
 * @param {Pen} pen
 * @param {Name[]} names
 * @param {{ left: number, gap: number, width: number, height: number }} view
 */
export function paintNames(pen, names, { left, gap, width, height }) {
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  line(pen, { x: 0, y: height - 0.5 }, { x: width, y: height - 0.5 }, { color: "#c3c8d0", width: 1 });
  pen.textBaseline = "alphabetic";
  for (const name of names) {
    if (name.x < left - 80 || name.x > left + width + 80) continue;
    pen.save();
    pen.translate(name.x - left, height - 8);
    paintName(pen, name, gap);
    pen.restore();
  }
  const before = names.filter(({ x }) => x < left).length;
  const after = names.filter(({ x }) => x > left + width).length;
  if (before > 0) paintMore(pen, `‹ ${before}`, { x: 2, align: "left" });
  if (after > 0) paintMore(pen, `${after} ›`, { x: width - 2, align: "right" });
}

/** How many lanes are beyond an edge. @param {Pen} pen @param {string} words @param {{ x: number, align: "left" | "right" }} where */
function paintMore(pen, words, { x, align }) {
  pen.font = "600 14px system-ui, sans-serif";
  pen.textAlign = align;
  const wide = words.length * 9 + 6;
  pen.fillStyle = "#fff";
  pen.fillRect(align === "left" ? 0 : x + 2 - wide, 0, wide, 20);
  pen.fillStyle = COLORS.text;
  pen.fillText(words, x, 15);
}

/** @param {Pen} pen @param {Name} name @param {number} gap */
function paintName(pen, { title, detail, color, gone }, gap) {
  const isWide = gap >= WIDE_FROM;
  pen.fillStyle = color;
  pen.fillRect(-7, -4, 14, 8);
  pen.fillStyle = gone ? "#6b7078" : COLORS.text;
  pen.font = isWide ? "600 16px ui-monospace, monospace" : "600 14px ui-monospace, monospace";
  if (gap < SLANTED_BELOW) {
    pen.rotate(-Math.PI / 3.2);
    pen.textAlign = "left";
    pen.fillText(gap < 40 ? title.slice(0, 6) : title, 10, 4);
    return;
  }
  pen.textAlign = "center";
  pen.fillText(title, 0, -30);
  pen.font = SMALL;
  if (detail.length * DETAIL_LETTER <= gap) pen.fillText(detail, 0, -12);
}
