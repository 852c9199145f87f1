/**
 * What the buttons, the checkboxes and the Escape key do, but those of the play bar. page.js calls it once.
 *
 * @typedef {import("./page.js").Page} Page
 */
import { rememberLanguage, writeAddress } from "./address.js";
import { fitAll, fitMessage, follow, resetZoom, startAt, zoomBy } from "./diagram.js";
import { clearDots } from "./dots.js";
import { clearLog } from "./event_log.js";
import { closeMermaid, copyMermaid, openMermaid, savePng, saveSvg } from "./export.js";
import { find } from "./find.js";
import { clear } from "./model.js";
import { goLive, now } from "./player.js";
import { closeStory, showStory } from "./story_panel.js";
import { chooseLanguage, chosenLanguage } from "./text.js";
import { showLanguage } from "./words.js";

const ZOOM = 1.5;

/** @param {Page} page */
export function listenToControls(page) {
  const { diagram, dots, view } = page;
  onCheck(page, "client-only", (on) => {
    view.clientOnly = on;
    clearDots(dots); // some of them the client can't see
  });
  onCheck(page, "heartbeats", (on) => {
    view.heartbeats = on;
  });
  onClick("clear", () => clearAll(page));
  onClick("language", () => {
    chooseLanguage(chosenLanguage() === "pt" ? "en" : "pt");
    rememberLanguage();
    writeAddress(page.model.selected);
    showLanguage(page);
  });
  onClick("zoom-out", () => zoomBy(diagram, 1 / ZOOM));
  onClick("zoom-in", () => zoomBy(diagram, ZOOM));
  onClick("zoom-reset", () => resetZoom(diagram));
  onClick("zoom-fit", () => {
    const { model } = page;
    if (model.selected) fitMessage(diagram, model, model.selected);
    else fitAll(diagram);
  });
  onClick("save-svg", () => saveSvg(diagram));
  onClick("save-png", () => savePng(diagram));
  onClick("open-mermaid", openMermaid);
  onClick("copy-mermaid", copyMermaid);
  onClick("close-mermaid", closeMermaid);
  onClick("close-story", () => closeStory(page));
  document.addEventListener("keydown", ({ key, target }) => {
    const isInside = target instanceof Element && target.closest("dialog, input, select");
    if (key === "Escape" && page.model.selected && !isInside) closeStory(page);
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
    page.isNew = true;
    showStory(page);
  });
}

/** @param {Page} page */
function clearAll(page) {
  goLive(page);
  page.clearedAt = now(page);
  clear(page.model, page.clearedAt);
  clearLog(page.player.log);
  clearDots(page.dots);
  page.lost = 0;
  closeStory(page);
  startAt(page.diagram, page.clearedAt);
  follow(page.diagram);
  page.isNew = true;
}
