/**
 * The space-time diagram on the page: which time is in view, scrolling, and clicks. It scrolls by itself
 * while the newest is in view; who scrolls back has paused it.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 */
import { layOutLanes } from "./lanes.js";
import { layOut } from "./layout.js";
import { paintNames, paintTime, SLANTED_BELOW } from "./paint_axes.js";
import { paintShapes } from "./paint_shapes.js";
import { PX_PER_MS } from "./scale.js";
import { shapeAt } from "./shape_at.js";
import { short, shortName } from "./short_names.js";
import { text } from "./text.js";

const NAMES_HEIGHT = 58;
const SLANTED_HEIGHT = 92;
const BELOW_NOW_PX = 36; // so that what happens now isn't at the very edge
const MEASURED_ABOVE = 500; // shapes
const ROLE_COLORS = { client: "#f28c28", discovery: "#8e5bd0", receiver: "#ffd54a" };

/**
 * @param {{ scroll: HTMLElement, canvas: HTMLCanvasElement, spacer: HTMLElement }} elements
 * @param {{ onPick: (message: string) => void, onPause: (paused: boolean) => void }} handlers
 */
export function createDiagram({ scroll, canvas, spacer }, { onPick, onPause }) {
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  let start = 0; // the time at the top of all
  let paused = false;
  let scrolledTo = 0; // by us, or by hand
  let scrolledLeft = 0;
  let isStale = true;
  let notBefore = 0; // it isn't painted again before that
  let size = { width: 0, height: 0 };
  let namesHeight = NAMES_HEIGHT;
  /** @type {import("./layout.js").Shape[]} */
  let shapes = [];

  new ResizeObserver(() => {
    size = { width: scroll.clientWidth, height: scroll.clientHeight };
    canvas.width = size.width * devicePixelRatio;
    canvas.height = size.height * devicePixelRatio;
    canvas.style.width = `${size.width}px`;
    canvas.style.height = `${size.height}px`;
    isStale = true;
  }).observe(scroll);

  scroll.addEventListener("scroll", () => {
    const isOurs = Math.abs(scroll.scrollTop - scrolledTo) < 2 && scroll.scrollLeft === scrolledLeft;
    if (isOurs && !paused) return;
    isStale = true;
    scrolledLeft = scroll.scrollLeft;
    const isAtEnd = scroll.scrollHeight - scroll.clientHeight - scroll.scrollTop <= 8;
    // Only who scrolls down to the end goes on; a window that grows may bring the end into view too.
    if (!isAtEnd) setPaused(true);
    else if (scroll.scrollTop > scrolledTo) setPaused(false);
    scrolledTo = scroll.scrollTop;
  });

  canvas.addEventListener("click", ({ offsetX, offsetY }) => {
    const shape = shapeAt(shapes, { x: offsetX + scroll.scrollLeft, y: offsetY - namesHeight });
    if (shape && "message" in shape) onPick(shape.message);
  });

  /** @param {boolean} value */
  function setPaused(value) {
    if (paused === value) return;
    paused = value;
    onPause(paused);
  }

  /** @param {Model} model @param {{ now: number, clientOnly: boolean, heartbeats: boolean, selected: string | undefined }} view */
  function paint(model, { now, clientOnly, heartbeats, selected }) {
    const startedAt = performance.now();
    if (!isStale && (paused || startedAt < notBefore)) return;
    if (start === 0) start = now - (size.height - NAMES_HEIGHT - BELOW_NOW_PX) / PX_PER_MS;
    const height = Math.max(size.height, namesHeight + (now - start) * PX_PER_MS + BELOW_NOW_PX);
    if (!paused) {
      spacer.style.height = `${Math.ceil(height - size.height)}px`;
      scrolledTo = Math.ceil(height - size.height);
      scroll.scrollTop = scrolledTo;
    }
    const from = start + (paused ? scroll.scrollTop : height - size.height) / PX_PER_MS;
    const to = from + (size.height - namesHeight) / PX_PER_MS;
    const view = { from, to, now, width: size.width, clientOnly, heartbeats };
    const lanes = layOutLanes(model, view);
    namesHeight = lanes.gap < SLANTED_BELOW ? SLANTED_HEIGHT : NAMES_HEIGHT;
    spacer.style.width = `${Math.floor(lanes.width)}px`;
    shapes = layOut(model, view, lanes);
    isStale = false;

    const left = scroll.scrollLeft;
    ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    ctx.clearRect(0, 0, size.width, size.height);
    ctx.save();
    ctx.translate(0, namesHeight);
    paintTime(ctx, { from, width: size.width, height: size.height - namesHeight });
    paintShapes(ctx, shapes, { left, width: size.width, height: size.height, selected });
    ctx.restore();
    const names = lanes.lanes.map(({ process, x }) => ({ ...nameOf(process, clientOnly, lanes.gap), x }));
    paintNames(ctx, names, { left, gap: lanes.gap, width: size.width, height: namesHeight });
    // Painting takes at most a quarter of the time: the more there is, the less often. What was asked of
    // a canvas is only done when it is shown or, to know how long it takes, when a pixel is read.
    if (shapes.length > MEASURED_ABOVE) ctx.getImageData(0, 0, 1, 1);
    const endedAt = performance.now();
    notBefore = endedAt + 3 * (endedAt - startedAt);
  }

  return {
    paint,
    setPaused,
    isPaused: () => paused,
    /** What is in view, for tests and for the curious. */
    shapes: () => shapes,
    /** Draws again even if paused. */
    touch() {
      isStale = true;
    },
    /** Begins anew at this time, or shows what was before. @param {number} at */
    startAt(at) {
      start = at;
      isStale = true;
    },
    startedAt: () => start,
    namesHeight: () => namesHeight,
  };
}

/** @param {Process} process @param {boolean} clientOnly @param {number} gap */
function nameOf({ role, name, id, address, gone }, clientOnly, gap) {
  const isGone = gone !== undefined && !clientOnly;
  const detail = isGone ? text(gone.how) : (address ?? "");
  const title =
    role === "discovery"
      ? text("discovery")
      : role === "client"
        ? gap < 130
          ? shortName(name)
          : name.slice(0, 15)
        : short(id ?? name);
  return {
    title,
    detail: role === "receiver" ? detail.slice(-20) : "",
    color: ROLE_COLORS[role],
    gone: isGone,
  };
}
