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

/** The time at the monitor. @param {Page} page */
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

/** Those who send no events are seen by discovery at least. @param {Page} page */
export async function askGroup(page) {
  if (document.hidden) return;
  try {
    const answer = await fetch("group");
    if (answer.ok) applyList(page.model, (await answer.json()).receivers, now(page));
  } catch {
    // The monitor is away, which the status says already.
  }
  forgetGone(page.model, now(page));
}
