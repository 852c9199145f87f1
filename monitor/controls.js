/**
 * What the buttons, the checkboxes and the Escape key do. page.js calls it once.
 *
 * @typedef {import("./page.js").Page} Page
 */
import { setPaused, startAt } from "./diagram.js";
import { clearDots } from "./dots.js";
import { find } from "./find.js";
import { now } from "./live.js";
import { clear } from "./model.js";
import { closeStory, showStory } from "./story_panel.js";
import { switchLanguage } from "./text.js";
import { showLanguage, showStatus } from "./words.js";

/** @param {Page} page */
export function listenToControls(page) {
  const { diagram, dots, model, view } = page;
  onCheck(page, "client-only", (on) => {
    view.clientOnly = on;
    clearDots(dots); // some of them the client can't see
  });
  onCheck(page, "heartbeats", (on) => {
    view.heartbeats = on;
  });
  onClick("pause", () => setPaused(diagram, !diagram.paused));
  onClick("clear", () => clearAll(page));
  onClick("language", () => {
    switchLanguage();
    showLanguage(page);
  });
  onClick("close-story", () => closeStory(page));
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && model.selected) closeStory(page);
  });
}

/** @param {string} id @param {() => void} act */
function onClick(id, act) {
  find(id).addEventListener("click", act);
}

/** @param {Page} page @param {string} id @param {(on: boolean) => void} change */
function onCheck(page, id, change) {
  /** @type {HTMLInputElement} */
  const box = find(id);
  box.addEventListener("change", () => {
    change(box.checked);
    page.diagram.isStale = true;
    page.isNew = true;
    showStory(page);
  });
}

/** @param {Page} page */
function clearAll(page) {
  page.clearedAt = now(page);
  clear(page.model, page.clearedAt);
  page.lost = 0;
  closeStory(page);
  startAt(page.diagram, 0);
  setPaused(page.diagram, false);
  showStatus(page);
  page.isNew = true;
}
