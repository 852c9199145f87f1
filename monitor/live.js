/**
 * What comes from the monitor: the events, as they happen, and who is in the group. page.js starts it.
 *
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 */
import { startAt } from "./diagram.js";
import { tellDots } from "./dots.js";
import { apply } from "./model.js";
import { applyList, forgetGone } from "./processes.js";
import { showStatus } from "./words.js";

const LATE_MS = 3000; // older events have no dots: they are from before the page was opened
const JUMP_MS = 4 * 60_000; // of the past, this much can be scrolled back to at the start

const ASK_GROUP_EVERY_MS = 2000;
const GROUP_WITHIN_MS = 15_000;
const SPARE_PARTS = 30; // of the time at least, for each that a list takes: a long one is asked for less often

/** The time at the monitor. @param {Pick<Page, "ahead">} page */
export function now({ ahead }) {
  return Date.now() + ahead;
}

/** @param {Page} page */
export function listenToEvents(page) {
  const source = new EventSource("events");
  source.addEventListener("hello", ({ data }) => {
    page.ahead = JSON.parse(data).now - Date.now();
    page.isConnected = true;
    showStatus(page);
  });
  source.addEventListener("lost", ({ data }) => {
    const { lost, missed } = JSON.parse(data);
    page.lost = Math.max(page.lost, lost + missed);
    showStatus(page);
  });
  source.addEventListener("message", ({ data }) => take(page, JSON.parse(data)));
  source.addEventListener("error", () => {
    page.isConnected = false;
    showStatus(page);
  });
}

/** @param {Page} page @param {TraceEvent[]} events */
function take(page, events) {
  const { model, dots, diagram, view } = page;
  for (const event of events) {
    if (event.at < page.clearedAt) continue;
    apply(model, event);
    if (now(page) - event.at < LATE_MS && !document.hidden)
      tellDots(dots, event, model, { now: performance.now(), clientOnly: view.clientOnly });
  }
  const first = events[0];
  if (first && diagram.start > first.at) startAt(diagram, Math.max(first.at - 500, now(page) - JUMP_MS));
  page.isNew = true;
}

/** Those who send no events are seen by discovery at least. Asks again and again. @param {Page} page */
export async function askGroup(page) {
  const tookMs = document.hidden ? 0 : await takeGroup(page).catch(() => 0); // the status says that it is away
  forgetGone(page.model, now(page));
  setTimeout(() => askGroup(page), Math.max(ASK_GROUP_EVERY_MS, SPARE_PARTS * tookMs));
}

/** @param {Page} page @returns how long the page was busy with the list, not how long it waited for it */
async function takeGroup({ model, ahead }) {
  const answer = await fetch("group", { signal: AbortSignal.timeout(GROUP_WITHIN_MS) });
  const list = await answer.text();
  const startedAt = performance.now();
  if (answer.ok) applyList(model, JSON.parse(list).receivers, now({ ahead }));
  return performance.now() - startedAt;
}
