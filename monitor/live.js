/**
 * What comes from the monitor: the events, as they happen, and who is in the group. page.js starts it.
 *
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 */
import { startAt } from "./diagram.js";
import { tellDots } from "./dots.js";
import { applyClients, applyList, forgetGone } from "./group_list.js";
import { now, openReplay, takeEvents } from "./player.js";
import { showStatus } from "./words.js";

const LATE_MS = 3000; // older events have no dots: they are from before the page was opened
const BEFORE_MS = 500; // the first event doesn't stand at the very edge

const ASK_GROUP_EVERY_MS = 2000;
const GROUP_WITHIN_MS = 15_000;
const SPARE_PARTS = 30; // of the time at least, for each that a list takes: a long one is asked for less often

/** @param {Page} page */
export function listenToEvents(page) {
  const source = new EventSource("events");
  source.addEventListener("hello", ({ data }) => greet(page, JSON.parse(data)));
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

/**
 * @param {Page} page
 * @param {{ now: number, from: number, names: import("./model.js").Names, replay?: { first: number, last: number } }} hello
 */
function greet(page, hello) {
  page.ahead = hello.now - Date.now();
  page.model.names = hello.names;
  page.isConnected = true;
  // A page that was cut off goes on where it was; from the first event on, it begins anew.
  if (hello.replay && (!page.player.replay || hello.from <= 1)) openReplay(page, hello.replay);
  showStatus(page);
}

/** @param {Page} page @param {TraceEvent[]} came */
function take(page, came) {
  const events = came.filter(({ at }) => at >= page.clearedAt);
  const shown = takeEvents(page, events);
  if (page.player.isLive && !document.hidden)
    tellAll(
      page,
      shown.filter(({ at }) => now(page) - at < LATE_MS),
    );
  const first = page.player.log.events[0];
  if (first && first.at < page.startsAt) {
    page.startsAt = first.at;
    startAt(page.diagram, first.at - BEFORE_MS);
  }
  page.isNew = true;
}

/** Their dots fly. @param {Page} page @param {readonly TraceEvent[]} events */
export function tellAll({ dots, model, player, view: { clientOnly } }, events) {
  for (const event of events) tellDots(dots, event, model, { now: player.flight, clientOnly });
}

/** Those who send no events are seen by discovery at least. Asks again and again. @param {Page} page */
export async function askGroup(page) {
  const isAsked = page.isConnected && !page.player.replay && !document.hidden;
  const tookMs = isAsked ? await takeGroup(page).catch(() => 0) : 0; // the status says that it is away
  if (page.player.isLive) forgetGone(page.model, now(page));
  setTimeout(() => askGroup(page), Math.max(ASK_GROUP_EVERY_MS, SPARE_PARTS * tookMs));
}

/** @param {Page} page @returns how long the page was busy with the list, not how long it waited for it */
async function takeGroup(page) {
  const answer = await fetch("group", { signal: AbortSignal.timeout(GROUP_WITHIN_MS) });
  const said = await answer.text();
  const startedAt = performance.now();
  if (answer.ok && page.player.isLive) {
    const { receivers, clients } = JSON.parse(said);
    if (receivers) applyList(page.model, receivers, now(page));
    if (clients) applyClients(page.model, clients, now(page));
  }
  return performance.now() - startedAt;
}
