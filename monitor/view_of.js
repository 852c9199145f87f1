/**
 * Which part of the time axis is in view. Whatever lays out the diagram asks where in it a time is.
 *
 * @typedef {import("./layout.js").View} View
 */
import { timeAt, yOf } from "./time_axis.js";

/**
 * @param {Omit<View, "from" | "to">} view `top`: what of the axis is at the top of what is in view, in pixels
 * @returns {View}
 */
export function viewOf(view) {
  const { axis, top, height } = view;
  return { ...view, from: timeAt(axis, top), to: timeAt(axis, top + height) };
}

/** How far below the top of what is in view, in pixels. @param {View} view @param {number} at */
export function yIn({ axis, top }, at) {
  return yOf(axis, at) - top;
}
