/**
 * The space-time diagram on the page: which time is in view, scrolling, and clicks. It scrolls by itself
 * while the newest is in view; who scrolls back has paused it. page.js makes it, paint_diagram.js paints it.
 *
 * @typedef {object} Diagram
 * @property {HTMLElement} scroll
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} spacer as high and wide as what could be scrolled to
 * @property {CanvasRenderingContext2D} ctx
 * @property {(message: string) => void} onPick
 * @property {(paused: boolean) => void} onPause
 * @property {number} start the time at the top of all; 0: so that now is at the bottom
 * @property {boolean} paused
 * @property {number} scrolledTo by us, or by hand
 * @property {number} scrolledLeft
 * @property {boolean} isStale to be painted again even if paused
 * @property {number} notBefore it isn't painted again before that
 * @property {{ width: number, height: number }} size
 * @property {number} namesHeight
 * @property {number} more how many there is no lane for
 * @property {import("./layout.js").Shape[]} shapes what is in view, for clicks and for tests
 */
import { shapeAt } from "./shape_at.js";

export const NAMES_HEIGHT = 58;

/**
 * @param {Pick<Diagram, "scroll" | "canvas" | "spacer">} elements
 * @param {Pick<Diagram, "onPick" | "onPause">} handlers
 * @returns {Diagram}
 */
export function createDiagram(elements, handlers) {
  const { scroll, canvas } = elements;
  const ctx = canvas.getContext("2d", { willReadFrequently: true });
  /** @type {Diagram} */
  const diagram = {
    ...elements,
    ...handlers,
    ctx: /** @type {CanvasRenderingContext2D} */ (ctx),
    start: 0,
    paused: false,
    scrolledTo: 0,
    scrolledLeft: 0,
    isStale: true,
    notBefore: 0,
    size: { width: 0, height: 0 },
    namesHeight: NAMES_HEIGHT,
    more: 0,
    shapes: [],
  };
  new ResizeObserver(() => resize(diagram)).observe(scroll);
  scroll.addEventListener("scroll", () => scrolled(diagram));
  canvas.addEventListener("click", ({ offsetX, offsetY }) => {
    const point = { x: offsetX + scroll.scrollLeft, y: offsetY - diagram.namesHeight };
    const shape = shapeAt(diagram.shapes, point);
    if (shape && "message" in shape) diagram.onPick(shape.message);
  });
  return diagram;
}

/** @param {Diagram} diagram */
function resize(diagram) {
  const { scroll, canvas } = diagram;
  const { clientWidth: width, clientHeight: height } = scroll;
  diagram.size = { width, height };
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  diagram.isStale = true;
}

/** Was it scrolled by hand, it is paused, or goes on at the end. @param {Diagram} diagram */
function scrolled(diagram) {
  const { scroll, scrolledTo, scrolledLeft } = diagram;
  const isOurs = Math.abs(scroll.scrollTop - scrolledTo) < 2 && scroll.scrollLeft === scrolledLeft;
  if (isOurs && !diagram.paused) return;
  diagram.isStale = true;
  diagram.scrolledLeft = scroll.scrollLeft;
  const isAtEnd = scroll.scrollHeight - scroll.clientHeight - scroll.scrollTop <= 8;
  // Only who scrolls down to the end goes on; a window that grows may bring the end into view too.
  if (!isAtEnd) setPaused(diagram, true);
  else if (scroll.scrollTop > scrolledTo) setPaused(diagram, false);
  diagram.scrolledTo = scroll.scrollTop;
}

/** @param {Diagram} diagram @param {boolean} paused */
export function setPaused(diagram, paused) {
  if (diagram.paused === paused) return;
  diagram.paused = paused;
  diagram.onPause(paused);
}

/** Begins anew at this time, or shows what was before. @param {Diagram} diagram @param {number} at */
export function startAt(diagram, at) {
  diagram.start = at;
  diagram.isStale = true;
}
