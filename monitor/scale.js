/**
 * How the diagram turns time into pixels. What takes no time worth seeing is drawn with the least slope
 * that still shows which end came first. Whatever lays out or paints the diagram uses it.
 */

export const PX_PER_MS = 40 / 1000;
export const LEAST_DROP = 12; // of an arrow, in pixels

/** @param {number} at @param {{ from: number }} view */
export function yOf(at, { from }) {
  return (at - from) * PX_PER_MS;
}
