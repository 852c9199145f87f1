/**
 * The time axis of the diagram: milliseconds to pixels and back. Time in which something happens is linear; a gap
 * between is folded, to a seam of one height for any length. So the picture stands still while nothing
 * happens. Whatever lays out the diagram, zooms or pans it asks here.
 *
 * @typedef {{ from: number, to: number }} Interval in milliseconds since 1970
 * @typedef {Interval & { y: number, height: number, isFold: boolean }} Piece `isFold`: it isn't linear
 * @typedef {{ pxPerMs: number, pieces: Piece[] }} Axis
 */

export const GAP_MS = 2000; // longer ones are folded
/** Of a fold: above the seam there is room for arrows that end later than they should, below it for a label. */
export const FOLD_PX = 80;

/**
 * Its y is 0 where the first activity begins. Before that, and after now, it is linear.
 * @param {Interval[]} activity in order, merged; see activity.js
 * @param {{ now: number, pxPerMs: number }} view
 * @returns {Axis}
 */
export function createAxis(activity, { now, pxPerMs }) {
  /** @type {Piece[]} */
  const pieces = [];
  let end = { at: Math.min(now, activity[0]?.from ?? now), y: 0 };
  const add = (/** @type {number} */ to, /** @type {boolean} */ isGap) => {
    const linear = (to - end.at) * pxPerMs;
    const height = isGap ? Math.min(FOLD_PX, linear) : linear;
    pieces.push({ from: end.at, to, y: end.y, height, isFold: height < linear });
    end = { at: to, y: end.y + height };
  };
  for (const { from, to } of activity) {
    if (from >= now) break;
    if (from > end.at) add(from, true);
    add(Math.min(to, now), false);
  }
  // Also a short one, up to now: what stands still after that must not have moved before.
  if (now > end.at || pieces.length === 0) add(now, true);
  return { pxPerMs, pieces };
}

/** @param {Axis} axis @param {number} at */
export function yOf({ pieces, pxPerMs }, at) {
  const piece = lastWhere(pieces, ({ from }) => from <= at) ?? pieces[0];
  if (!piece) return 0;
  const { from, to, y, height, isFold } = piece;
  if (at > to) return y + height + (at - to) * pxPerMs;
  if (!isFold) return y + (at - from) * pxPerMs;
  return y + ((at - from) / (to - from)) * height;
}

/** The inverse of `yOf`. @param {Axis} axis @param {number} wanted in pixels */
export function timeAt({ pieces, pxPerMs }, wanted) {
  const piece = lastWhere(pieces, ({ y }) => y <= wanted) ?? pieces[0];
  if (!piece) return 0;
  const { from, to, y, height, isFold } = piece;
  if (wanted > y + height) return to + (wanted - y - height) / pxPerMs;
  if (!isFold) return from + (wanted - y) / pxPerMs;
  return from + ((wanted - y) / height) * (to - from);
}

/** From the beginning to now, in pixels. @param {Axis} axis */
export function heightOf({ pieces }) {
  const last = pieces.at(-1);
  return last ? last.y + last.height : 0;
}

/** The gaps that are long enough to be told. @param {Axis} axis */
export function seamsOf({ pieces }) {
  return pieces.filter(({ from, to, isFold }) => isFold && to - from > GAP_MS);
}

/** By halving: there may be many, and it is asked for each end of each arrow. @param {Piece[]} pieces @param {(piece: Piece) => boolean} isTrue first for all, then for none */
function lastWhere(pieces, isTrue) {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTrue(/** @type {Piece} */ (pieces[middle]))) low = middle + 1;
    else high = middle;
  }
  return pieces[low - 1];
}
