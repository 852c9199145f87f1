/** The page: takes the events, keeps what they say, and shows it in three ways: group, diagram, list. */
import { createDiagram } from "./diagram.js";
import { createDots } from "./dots.js";
import { createGroupPicture } from "./group.js";
import { createMessageList } from "./list.js";
import { apply, clear, createModel } from "./model.js";
import { applyList, forgetGone } from "./processes.js";
import { short } from "./short_names.js";
import { clockTime, tellStory } from "./story.js";
import { languageCode, switchLanguage, text } from "./text.js";

const GROUP_EVERY_MS = 250;
const ASK_GROUP_EVERY_MS = 2000;
const LATE_MS = 3000; // older events have no dots: they are from before the page was opened
const JUMP_MS = 4 * 60_000; // of the past, this much can be scrolled back to at the start

/** @template {Element} [T=HTMLElement] @param {string} id */
const find = (id) => /** @type {T} */ (/** @type {unknown} */ (document.getElementById(id)));
/** @type {SVGSVGElement} */
const picture = find("group-picture");

export const model = createModel();
const view = {
  clientOnly: false,
  heartbeats: false,
  selected: /** @type {string | undefined} */ (undefined),
};
/** How far the monitor's clock is ahead of this computer's. */
let ahead = 0;
const now = () => Date.now() + ahead;
/** Events before this were cleared away. */
let clearedAt = 0;
let lost = 0;
let isConnected = false;
let isNew = true;

const group = createGroupPicture(picture);
const dots = createDots(find("dots"), group.placeOf);
const list = createMessageList({ rows: find("rows"), columns: find("columns") }, { onPick: openStory });
export const diagram = createDiagram(
  { scroll: find("scroll"), canvas: find("canvas"), spacer: find("spacer") },
  { onPick: openStory, onPause: showPause },
);

function listen() {
  const source = new EventSource("events");
  source.addEventListener("hello", ({ data }) => {
    ahead = JSON.parse(data).now - Date.now();
    isConnected = true;
    showStatus();
  });
  source.addEventListener("lost", ({ data }) => {
    const told = JSON.parse(data);
    lost = Math.max(lost, told.lost + told.missed);
    showStatus();
  });
  source.addEventListener("message", ({ data }) => {
    /** @type {import("./model.js").TraceEvent[]} */
    const events = JSON.parse(data);
    for (const event of events) {
      if (event.at < clearedAt) continue;
      apply(model, event);
      if (now() - event.at < LATE_MS && !document.hidden)
        dots.tell(event, model, performance.now(), view.clientOnly);
    }
    const first = events[0];
    if (first && diagram.startedAt() > first.at) diagram.startAt(Math.max(first.at - 500, now() - JUMP_MS));
    isNew = true;
  });
  source.addEventListener("error", () => {
    isConnected = false;
    showStatus();
  });
}

/** Those who send no events are seen by discovery at least. */
async function askGroup() {
  if (document.hidden) return;
  try {
    const answer = await fetch("group");
    if (answer.ok) applyList(model, (await answer.json()).receivers, now());
  } catch {
    // The monitor is away, which the status says already.
  }
  forgetGone(model, now());
}

function drawFrame() {
  const at = now();
  diagram.paint(model, { now: at, ...view });
  dots.move(performance.now());
  requestAnimationFrame(drawFrame);
}

function drawGroup() {
  if (document.hidden) return;
  const counts = group.arrange(model, now(), view.clientOnly);
  group.drawRings(now(), view.clientOnly);
  find("group-words").textContent = text("groupWords", counts);
  if (isNew) {
    list.show(model);
    showStory();
  }
  isNew = false;
}

/** @param {string} message */
function openStory(message) {
  view.selected = message;
  showStory();
  find("story-title").focus({ preventScroll: true });
  diagram.touch();
}

/** The story of the message that is selected; it grows while the message is under way. */
function showStory() {
  const { selected, clientOnly } = view;
  find("story").hidden = selected === undefined;
  if (selected === undefined) return;
  const title = text("story", { id: short(selected) });
  find("story-title").textContent = clientOnly ? `${title}. ${text("clientStory")}` : title;
  const told = tellStory(model, selected, clientOnly);
  const lines = find("story-lines");
  while (lines.children.length > told.length) lines.lastElementChild?.remove();
  told.forEach(({ at, words }, index) => {
    const line = lines.children[index] ?? lines.appendChild(document.createElement("li"));
    const said = `${clockTime(at)} ${words}`;
    if (line.textContent !== said) line.textContent = said; // as text, never as HTML
  });
}

function closeStory() {
  const row = document.querySelector(`#rows button[data-message="${CSS.escape(view.selected ?? "")}"]`);
  view.selected = undefined;
  find("story").hidden = true;
  diagram.touch();
  if (row instanceof HTMLElement) row.focus({ preventScroll: true });
}

/** @param {boolean} paused */
function showPause(paused) {
  find("pause").textContent = text(paused ? "resume" : "pause");
  find("pause").setAttribute("aria-pressed", String(paused));
}

function showStatus() {
  const words = [text(isConnected ? "connected" : "disconnected")];
  if (lost > 0) words.push(text("lost", { lost }));
  find("status").textContent = words.join(", ");
  find("status").className = isConnected && lost === 0 ? "" : "warning";
}

function showLanguage() {
  document.documentElement.lang = languageCode();
  document.title = text("title");
  for (const element of document.querySelectorAll("[data-text]")) {
    const key = /** @type {import("./text.js").TextKey} */ (element.getAttribute("data-text"));
    element.textContent = text(key);
  }
  find("language").textContent = text("language");
  find("language").lang = languageCode() === "en" ? "pt-BR" : "en";
  showLegend();
  showPause(diagram.isPaused());
  showStatus();
  list.showColumns();
  showStory();
  diagram.touch();
  isNew = true;
}

function showLegend() {
  const keys = /** @type {const} */ (["legendMessage", "legendAck", "legendBar", "legendLost", "legendDup"]);
  const marks = ["→", "←", "▮", "✕", "▷"];
  const parts = keys.map((key, index) => {
    const part = document.createElement("span");
    part.className = key;
    part.textContent = `${marks[index]} ${text(key)}`;
    return part;
  });
  const words = document.createElement("small");
  words.textContent = text("legend");
  find("legend").replaceChildren(...parts, words);
}

/** @param {string} id @param {(on: boolean) => void} change */
function onCheck(id, change) {
  /** @type {HTMLInputElement} */
  const box = find(id);
  box.addEventListener("change", () => {
    change(box.checked);
    diagram.touch();
    isNew = true;
    showStory();
  });
}

onCheck("client-only", (on) => {
  view.clientOnly = on;
  dots.clear(); // some of them the client can't see
});
onCheck("heartbeats", (on) => {
  view.heartbeats = on;
});
find("pause").addEventListener("click", () => diagram.setPaused(!diagram.isPaused()));
find("clear").addEventListener("click", () => {
  clearedAt = now();
  clear(model, clearedAt);
  lost = 0;
  closeStory();
  diagram.startAt(0);
  diagram.setPaused(false);
  showStatus();
  isNew = true;
});
find("language").addEventListener("click", () => {
  switchLanguage();
  showLanguage();
});
find("close-story").addEventListener("click", closeStory);
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && view.selected) closeStory();
});

// What scrolls can be scrolled with the keyboard.
for (const region of document.querySelectorAll(".scrolls")) {
  region.setAttribute("tabindex", "0");
  region.setAttribute("role", "group");
  region.setAttribute("aria-labelledby", region.closest("section")?.getAttribute("aria-labelledby") ?? "");
}
showLanguage();
listen();
askGroup();
setInterval(askGroup, ASK_GROUP_EVERY_MS);
setInterval(drawGroup, GROUP_EVERY_MS);
drawGroup();
drawFrame();
