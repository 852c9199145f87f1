/**
 * Mouse, finger and keys on the diagram: they pan it, zoom it, and pick a message. diagram.js calls it once.
 *
 * @typedef {import("./diagram.js").Diagram} Diagram
 */
import { shapeAt } from "./shape_at.js";
import { follow, heightIn, panBy, resetZoom, zoomBy } from "./zoom.js";

const DRAG_FROM_PX = 5; // less is a click
const LINE_PX = 40;
const ZOOM_STEP = 1.5;
const ALL_PX = 1e12; // more than there ever is

/** @param {Diagram} diagram */
export function listenToDiagram(diagram) {
  const { scroll, canvas } = diagram;
  canvas.style.touchAction = "pan-x pinch-zoom"; // the browser's; panning up and down is ours
  scroll.addEventListener("wheel", (event) => turnWheel(diagram, event), { passive: false });
  scroll.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !press(diagram, event.key)) return;
    event.preventDefault();
  });
  listenToDrags(diagram);
}

/** What is at the end already lets the page scroll. @param {Diagram} diagram @param {WheelEvent} event */
function turnWheel(diagram, event) {
  const px = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX / 3 : 1);
  if (event.ctrlKey) {
    const y = event.clientY - diagram.canvas.getBoundingClientRect().top - diagram.namesHeight;
    zoomBy(diagram, Math.exp(-px / 300), Math.max(0, y));
    event.preventDefault();
  } else if (!event.shiftKey && px !== 0 && panBy(diagram, px)) {
    diagram.scroll.scrollLeft += event.deltaX;
    event.preventDefault();
  }
}

/** @param {Diagram} diagram @param {string} key @returns whether it means something */
function press(diagram, key) {
  const page = heightIn(diagram) * 0.85;
  /** @type {Record<string, () => unknown>} */
  const meanings = {
    ArrowUp: () => panBy(diagram, -LINE_PX),
    ArrowDown: () => panBy(diagram, LINE_PX),
    PageUp: () => panBy(diagram, -page),
    PageDown: () => panBy(diagram, page),
    Home: () => panBy(diagram, -ALL_PX),
    End: () => follow(diagram),
    "+": () => zoomBy(diagram, ZOOM_STEP),
    "=": () => zoomBy(diagram, ZOOM_STEP), // the key of + without Shift
    "-": () => zoomBy(diagram, 1 / ZOOM_STEP),
    0: () => resetZoom(diagram),
  };
  const act = Object.hasOwn(meanings, key) ? meanings[key] : undefined;
  act?.();
  return act !== undefined;
}

/** A drag pans, a click picks. @param {Diagram} diagram */
function listenToDrags(diagram) {
  const { canvas, scroll } = diagram;
  /** @type {{ id: number, x: number, y: number, isDrag: boolean } | undefined} */
  let held;
  let wasDrag = false; // its end is told as a click too
  canvas.addEventListener("pointerdown", ({ pointerId: id, clientX: x, clientY: y, button, isPrimary }) => {
    wasDrag = false;
    if (button === 0 && isPrimary) held = { id, x, y, isDrag: false };
  });
  canvas.addEventListener("pointermove", ({ pointerId, pointerType, clientX, clientY }) => {
    if (held?.id !== pointerId) return;
    const [dx, dy] = [clientX - held.x, clientY - held.y];
    if (!held.isDrag && Math.hypot(dx, dy) < DRAG_FROM_PX) return;
    if (!held.isDrag) canvas.setPointerCapture(pointerId);
    held = { id: pointerId, x: clientX, y: clientY, isDrag: true };
    const isPanned = panBy(diagram, -dy);
    // A finger that can't pan it any further scrolls the page, or it could never leave the diagram.
    if (pointerType === "touch" && !isPanned) window.scrollBy(0, -dy);
    if (pointerType !== "touch") scroll.scrollLeft -= dx;
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => {
      wasDrag = held?.isDrag ?? false;
      held = undefined;
    });
  canvas.addEventListener("click", ({ offsetX, offsetY }) => {
    if (!wasDrag) pick(diagram, offsetX, offsetY);
  });
}

/** @param {Diagram} diagram @param {number} x @param {number} y */
function pick({ scroll, namesHeight, shapes, onPick }, x, y) {
  const shape = shapeAt(shapes, { x: x + scroll.scrollLeft, y: y - namesHeight });
  if (shape && "message" in shape) onPick(shape.message);
}
