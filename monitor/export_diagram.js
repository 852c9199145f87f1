/**
 * What is in view in the diagram, as a file. The controls call it.
 *
 * @typedef {import("./diagram.js").Diagram} Diagram
 */
import { paintFrame } from "./paint_frame.js";
import { createSvgPen } from "./svg_pen.js";

/** A whole SVG file, the names above included. @param {Pick<Diagram, "frame">} diagram */
export function exportSvg({ frame }) {
  const { pen, write } = createSvgPen();
  if (frame) paintFrame(pen, frame);
  return write(frame ?? { width: 1, height: 1 });
}

/** @param {Diagram} diagram @returns {Promise<Blob>} @throws {Error} "Cannot make a PNG …" */
export function exportPng({ canvas, frame, size }) {
  const { width, height } = size;
  const scale = Math.max(2, devicePixelRatio); // sharp on a slide too
  const copy = Object.assign(document.createElement("canvas"), {
    width: width * scale,
    height: height * scale,
  });
  const ctx = copy.getContext("2d");
  if (ctx && frame) {
    ctx.fillStyle = "#fff"; // a canvas that nobody painted is transparent
    ctx.scale(scale, scale);
    ctx.fillRect(0, 0, width, height);
    paintFrame(ctx, frame);
  }
  return new Promise((resolve, reject) => {
    const target = ctx && frame ? copy : canvas;
    target.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error("Cannot make a PNG of the diagram: the browser gave none; save the SVG instead"));
    }, "image/png");
  });
}
