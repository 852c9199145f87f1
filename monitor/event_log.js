/**
 * The events that came, in the order of their time: from them the past can be shown again. player.js keeps them
 * here, and asks.
 *
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 * @typedef {{ events: TraceEvent[], length: number }} EventLog `length`: of all of them as JSON, in UTF-16 units
 */

export const MAX_EVENTS = 50_000;
export const MAX_LENGTH = 16 * 1024 * 1024;

/** @returns {EventLog} */
export function createEventLog() {
  return { events: [], length: 0 };
}

/** The oldest are dropped when there are too many. @param {EventLog} log @param {readonly TraceEvent[]} came */
export function keepEvents(log, came) {
  const { events } = log;
  let last = events.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  let isInOrder = true;
  for (const event of came) {
    isInOrder &&= event.at >= last;
    last = event.at;
    events.push(event);
    log.length += lengthOf(event);
  }
  // Those of one process keep their order: sorting is stable.
  if (!isInOrder) events.sort((a, b) => a.at - b.at);
  let dropped = 0;
  while (events.length - dropped > MAX_EVENTS || log.length > MAX_LENGTH)
    log.length -= lengthOf(/** @type {TraceEvent} */ (events[dropped++]));
  events.splice(0, dropped);
}

/** @param {TraceEvent} event */
function lengthOf(event) {
  return JSON.stringify(event).length;
}

/** How many happened until then, or at that very time. @param {EventLog} log @param {number} at */
export function countUntil({ events }, at) {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {TraceEvent} */ (events[middle]).at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Those that happened after one time, until another. @param {EventLog} log @param {number} after @param {number} until */
export function eventsBetween(log, after, until) {
  return log.events.slice(countUntil(log, after), countUntil(log, until));
}

/** @param {EventLog} log */
export function clearLog(log) {
  log.events = [];
  log.length = 0;
}
