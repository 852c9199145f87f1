/**
 * When a process was there, and how each of its lives ended: put together from what is told of its beginnings
 * and its ends, which may be told in any order. processes.js tells; whatever shows a process asks.
 *
 * @typedef {import("./model.js").Process} Process
 * @typedef {"left" | "expired" | "replaced" | "crashed" | "stopped" | "unreachable"} How
 * @typedef {{ from: number, to?: number, how?: How }} Life the last one has no `to` while the process is there
 * @typedef {{ at: number, id?: string | undefined, how?: How, guessed?: boolean }} Turn an end, if it says how; else a beginning
 * @typedef {{ id: string, at: number }} Id and the time from which it was the process's
 */

const MAX_LIVES = 50; // of one process, and as many ids
const MAX_TURNS = 2 * MAX_LIVES;

/** @param {number} at @returns {Pick<Process, "firstAt" | "lives" | "turns" | "ids">} */
export function born(at) {
  return { firstAt: at, lives: [{ from: at }], turns: [], ids: [] };
}

/** When its last life ended, and how; undefined while it is there. @param {Pick<Process, "lives">} process */
export function goneOf({ lives }) {
  const last = lives.at(-1);
  return last?.to === undefined ? undefined : { at: last.to, how: last.how ?? "stopped" };
}

/** When leases of a process ran out that was gone already: until then it was in the list. @param {Pick<Process, "lives" | "turns">} process */
export function expiriesOf({ lives, turns }) {
  const wasGone = (/** @type {number} */ at) => (lives.findLast(({ from }) => from <= at)?.to ?? at) < at;
  return turns.flatMap(({ at, how, guessed }) => (how === "expired" && !guessed && wasGone(at) ? [at] : []));
}

/** It was there earlier than was known. @param {Process} process @param {number} at */
export function wasThere(process, at) {
  if (at >= process.firstAt) return;
  process.firstAt = at;
  process.lives = livesOf(process);
}

/** @param {Process} process @param {number} at */
export function beginLife(process, at) {
  process.firstAt = Math.min(process.firstAt, at);
  addTurn(process, { at });
}

/** What is known takes the place of what was only guessed. @param {Process} process @param {Required<Pick<Turn, "at" | "how">> & Turn} end */
export function endLife(process, end) {
  if (!end.guessed) dropGuesses(process, end.id);
  addTurn(process, end);
}

/** It is there after all. @param {Process} process @param {string | undefined} id */
export function dropGuesses(process, id) {
  if (!process.turns.some(({ guessed }) => guessed)) return;
  process.turns = process.turns.filter((turn) => !turn.guessed || turn.id !== id);
  process.lives = livesOf(process);
}

/**
 * Two of whom it is learned that they are one. @param {Process} process @param {Process} other
 */
export function takeOver(process, other) {
  process.firstAt = Math.min(process.firstAt, other.firstAt);
  for (const { id, at } of other.ids) addId(process, id, at);
  for (const turn of other.turns) addTurn(process, turn);
  process.lives = livesOf(process);
}

/** @param {Process} process @param {Turn} turn */
function addTurn(process, turn) {
  const { turns } = process;
  const index = turns.findLastIndex((other) => !isAfter(other, turn));
  const { at, how, id } = turns[index] ?? {};
  if (at === turn.at && how === turn.how && id === turn.id) return;
  turns.splice(index + 1, 0, turn);
  if (turns.length > MAX_TURNS && turns.shift()?.how)
    process.firstAt = Math.max(process.firstAt, turns[0]?.at ?? 0);
  process.lives = livesOf(process);
}

/** At the same time, what ends gives way to what begins. @param {Turn} a @param {Turn} b */
function isAfter(a, b) {
  return a.at > b.at || (a.at === b.at && a.how === undefined && b.how !== undefined);
}

/** @param {Process} process @returns {Life[]} */
function livesOf({ firstAt, turns, ids }) {
  /** @type {Life[]} */
  const lives = [{ from: firstAt }];
  for (const { at, how, id } of turns) {
    const last = /** @type {Life} */ (lives.at(-1));
    if (how === undefined) {
      if (last.to !== undefined) lives.push({ from: at });
      // The end of an old id of a process that has a new one says nothing about the process.
    } else if (last.to === undefined && (id === undefined || (idBefore(ids, at) ?? id) === id))
      Object.assign(last, { to: Math.max(at, last.from), how });
  }
  return lives.slice(-MAX_LIVES);
}

/** @param {Id[]} ids @param {number} at */
function idBefore(ids, at) {
  return ids.findLast((each) => each.at < at)?.id;
}

/** @param {Process} process @param {string} id @param {number} at @returns an id for which there is no room any more, if any */
export function addId(process, id, at) {
  const { ids } = process;
  const known = ids.find((each) => each.id === id);
  if (known && known.at <= at) return undefined;
  if (known) ids.splice(ids.indexOf(known), 1);
  ids.splice(ids.findLastIndex((each) => each.at <= at) + 1, 0, { id, at });
  process.id = ids.at(-1)?.id ?? id;
  process.lives = livesOf(process);
  return ids.length > MAX_LIVES ? ids.shift()?.id : undefined;
}
