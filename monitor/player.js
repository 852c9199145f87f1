/**
 * Which time is shown: now, or one that has passed, standing still or played again. Going back makes the model
 * anew of the events until then; what comes meanwhile waits. page.js plays, player_bar.js has the buttons.
 *
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 * @typedef {Pick<Page, "model" | "player" | "ahead">} Shown the parts of the page that it needs
 *
 * @typedef {object} Player
 * @property {import("./event_log.js").EventLog} log
 * @property {{ first: number, last: number } | undefined} replay of a recorded run: it has no now
 * @property {boolean} isLive
 * @property {boolean} isPlaying
 * @property {number} speed
 * @property {number} at the time that is shown, unless it is live
 * @property {number} fresh how many events came since it was live
 * @property {number} flight the time by which dots fly: it stands still with the picture
 * @property {number} landBy until then they fly on, though it stands
 */
import { clearLog, countUntil, createEventLog, eventsBetween, keepEvents } from "./event_log.js";
import { apply, createModel } from "./model.js";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10];
const STEP_FLIGHT_MS = 1500; // after a step its dots may land

/** @returns {Player} */
export function createPlayer() {
  return {
    log: createEventLog(),
    replay: undefined,
    isLive: true,
    isPlaying: false,
    speed: 1,
    at: 0,
    fresh: 0,
    flight: 0,
    landBy: 0,
  };
}

/** The time at the monitor. @param {Pick<Page, "ahead">} page */
export function now({ ahead }) {
  return Date.now() + ahead;
}

/** The time that all pictures show. @param {Pick<Page, "player" | "ahead">} page */
export function shownAt(page) {
  return page.player.isLive ? now(page) : page.player.at;
}

/** Of all that can be shown. @param {Pick<Page, "player" | "ahead">} page */
export function timesOf(page) {
  const { replay, log } = page.player;
  const last = replay?.last ?? now(page);
  return { first: Math.min(replay?.first ?? last, log.events[0]?.at ?? last), last };
}

/** Keeps the events that came. @param {Shown} page @param {readonly TraceEvent[]} came @returns those that are shown now */
export function takeEvents({ model, player }, came) {
  keepEvents(player.log, came);
  const shown = player.isLive ? came : came.filter(({ at }) => at <= player.at);
  for (const event of shown) apply(model, event);
  player.fresh += came.length - shown.length;
  return shown;
}

/** It is a recorded run, and opens at its end. @param {Shown} page @param {{ first: number, last: number }} replay */
export function openReplay(page, replay) {
  Object.assign(page.player, { replay, isLive: false, isPlaying: false, at: replay.last });
  clearLog(page.player.log);
  page.model = createModel(page.model.names);
}

/** Time stands still. @param {Shown} page */
export function pause(page) {
  const { player } = page;
  if (player.isLive) Object.assign(player, { at: now(page), fresh: 0, isLive: false });
  player.isPlaying = false;
}

/** A recorded run that is at its end begins anew. @param {Shown} page */
export function play(page) {
  const { first, last } = timesOf(page);
  if (page.player.at >= last) showAt(page, first);
  page.player.isPlaying = !page.player.isLive;
}

/** @param {Shown} page */
export function goLive(page) {
  const { player, model } = page;
  if (player.isLive || player.replay) return;
  for (const event of eventsBetween(player.log, player.at, Number.POSITIVE_INFINITY)) apply(model, event);
  Object.assign(player, { isLive: true, isPlaying: false, fresh: 0 });
}

/** Shows another time; it plays on if it was playing. @param {Shown} page @param {number} wanted @returns what happened until then, if it is later */
export function showAt(page, wanted) {
  const { player } = page;
  const { first, last } = timesOf(page);
  const at = Math.min(last, Math.max(first, wanted));
  const before = shownAt(page);
  const wasPlaying = player.isPlaying;
  if (player.isLive) pause(page);
  const came = at < before ? [] : eventsBetween(player.log, before, at);
  if (at < before) page.model = modelAt(page, at);
  else for (const event of came) apply(page.model, event);
  player.fresh = Math.max(0, player.fresh - came.length);
  Object.assign(player, { at, isPlaying: wasPlaying });
  return came;
}

/** Made anew of all that happened until then. @param {Shown} page @param {number} at */
function modelAt({ model, player: { log } }, at) {
  const made = createModel(model.names);
  made.version = model.version + 1;
  made.selected = model.selected;
  const count = countUntil(log, at);
  for (const event of log.events.slice(0, count)) apply(made, event);
  return made;
}

/** Plays on. @param {Shown} page @param {number} ms that have passed here @returns what happened in them, if it plays */
export function advance(page, ms) {
  const { player } = page;
  const { isLive, isPlaying, speed } = player;
  if (isLive) player.flight += ms;
  else if (isPlaying) player.flight += ms * speed;
  else if (player.flight < player.landBy) player.flight += ms;
  if (!isPlaying) return [];
  const wanted = player.at + ms * speed;
  const isEnd = wanted >= timesOf(page).last;
  const came = showAt(page, wanted);
  if (isEnd && player.replay) player.isPlaying = false;
  else if (isEnd) goLive(page);
  return came;
}

/**
 * To the next event, or the one before, that shows in the picture.
 * @param {Shown & Pick<Page, "view">} page @param {1 | -1} direction @returns what happened, if it goes on
 */
export function step(page, direction) {
  const { player, view } = page;
  const { events } = player.log;
  const from = shownAt(page);
  const shows = (/** @type {TraceEvent} */ { event, at }) =>
    at !== from && event !== "listed" && (view.heartbeats || event !== "heartbeat");
  pause(page);
  const index = countUntil(player.log, from);
  const next = direction > 0 ? events.slice(index).find(shows) : events.slice(0, index).findLast(shows);
  if (!next) return [];
  player.landBy = player.flight + STEP_FLIGHT_MS;
  return showAt(page, next.at);
}
