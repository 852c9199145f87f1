/**
 * The play bar: its buttons, and the handle. page.js listens to it once, and shows it four times a second.
 *
 * @typedef {import("./page.js").Page} Page
 */
import { follow } from "./diagram.js";
import { clearDots } from "./dots.js";
import { find } from "./find.js";
import { goLive, pause, play, SPEEDS, showAt, shownAt, step, timesOf } from "./player.js";
import { languageCode, text } from "./text.js";
import { clockTime } from "./times.js";

const PAUSE_SIGN = "M4 3h4v14H4zM12 3h4v14h-4z";
const PLAY_SIGN = "M4 3v14l13-7z";

/** @param {Page} page @param {(events: readonly import("./model.js").TraceEvent[]) => void} onStep what a step brought */
export function listenToPlayer(page, onStep) {
  const { player } = page;
  const change = (/** @type {() => void} */ act) => () => {
    act();
    page.isNew = true;
    showPlayer(page);
  };
  const stepBy = (/** @type {1 | -1} */ direction) => () => {
    if (direction < 0) clearDots(page.dots);
    onStep(step(page, direction));
    follow(page.diagram);
  };
  on(
    "play",
    "click",
    change(() => (player.isLive || player.isPlaying ? pause(page) : startPlaying(page))),
  );
  on("step-back", "click", change(stepBy(-1)));
  on("step-forward", "click", change(stepBy(1)));
  on(
    "live",
    "click",
    change(() => backToNow(page)),
  );
  on(
    "time",
    "input",
    change(() => moveHandle(page)),
  );
  listenToSpeed(page);
}

/** @param {Page} page */
function listenToSpeed({ player }) {
  /** @type {HTMLSelectElement} */
  const speed = find("speed");
  speed.replaceChildren(...SPEEDS.map((each) => new Option(`${each}×`, String(each))));
  speed.value = String(player.speed);
  on("speed", "change", () => {
    player.speed = Number(speed.value);
  });
}

/** @param {Page} page */
function moveHandle(page) {
  /** @type {HTMLInputElement} */
  const handle = find("time");
  clearDots(page.dots);
  showAt(page, timesOf(page).first + Number(handle.value));
  follow(page.diagram);
}

/** @param {Page} page */
function backToNow(page) {
  goLive(page);
  follow(page.diagram);
}

/** @param {Page} page */
function startPlaying(page) {
  clearDots(page.dots);
  play(page);
  follow(page.diagram);
}

/** @param {string} id @param {"click" | "input" | "change"} type @param {() => void} act */
function on(id, type, act) {
  find(id).addEventListener(type, act);
}

/** @param {Page} page */
export function showPlayer(page) {
  const { player, diagram } = page;
  const { first, last } = timesOf(page);
  const at = shownAt(page);
  const runs = player.isLive || player.isPlaying;
  label("play", text(runs ? "pause" : "play"), runs ? PAUSE_SIGN : PLAY_SIGN);
  /** @type {HTMLInputElement} */
  const handle = find("time");
  handle.max = String(Math.max(1, last - first));
  handle.value = String(at - first);
  handle.setAttribute("aria-valuetext", clockTime(at));
  write("time-words", clockTime(at));
  const live = find("live");
  live.hidden = player.replay !== undefined;
  find("clear").hidden = live.hidden;
  live.setAttribute("aria-pressed", String(player.isLive && diagram.follows));
  const n = player.fresh.toLocaleString(languageCode());
  write("live", player.fresh > 0 ? text("goLiveFresh", { n }) : text("goLive"));
}

/** @param {string} id @param {string} words */
function write(id, words) {
  if (find(id).textContent !== words) find(id).textContent = words;
}

/** A button with a sign on it. @param {string} id @param {string} words @param {string} sign */
function label(id, words, sign) {
  find(id).setAttribute("aria-label", words);
  find(id).title = words;
  find(id).querySelector("path")?.setAttribute("d", sign);
}
