/**
 * The panel with the story of the message that is selected. page.js opens it for a click, and shows it anew
 * when events have come; the controls close it.
 *
 * @typedef {import("./page.js").Page} Page
 */
import { writeAddress } from "./address.js";
import { showMessage } from "./diagram.js";
import { find } from "./find.js";
import { select } from "./model.js";
import { short } from "./short_names.js";
import { tellStory } from "./story.js";
import { text } from "./text.js";
import { clockTime } from "./times.js";

/** @param {Page} page @param {string} message */
export function openStory(page, message) {
  page.wanted = undefined;
  select(page.model, message);
  writeAddress(message);
  showStory(page);
  showMessage(page.diagram, page.model, message);
  find("story-title").focus({ preventScroll: true });
}

/** It grows while the message is under way. @param {Page} page */
export function showStory({ model, view: { clientOnly } }) {
  const { selected } = model;
  find("story").hidden = selected === undefined;
  if (selected === undefined) return;
  const title = text("story", { id: short(selected) });
  find("story-title").textContent = clientOnly ? `${title}. ${text("clientStory")}` : title;
  const told = tellStory(model, selected, clientOnly);
  find("story-unknown").hidden = told.length > 0;
  const lines = find("story-lines");
  while (lines.children.length > told.length) lines.lastElementChild?.remove();
  told.forEach(({ at, words }, index) => {
    const line = lines.children[index] ?? lines.appendChild(document.createElement("li"));
    const said = `${clockTime(at)} ${words}`;
    if (line.textContent !== said) line.textContent = said; // as text, never as HTML
  });
}

/** @param {Page} page */
export function closeStory({ model }) {
  const row = document.querySelector(`#rows button[data-message="${CSS.escape(model.selected ?? "")}"]`);
  select(model, undefined);
  writeAddress(undefined);
  find("story").hidden = true;
  if (row instanceof HTMLElement) row.focus({ preventScroll: true });
}
