/**
 * The panel with the story of the message that is selected. page.js opens it for a click, and shows it anew
 * when events have come; the controls close it.
 *
 * @typedef {import("./page.js").Page} Page
 */
import { find } from "./find.js";
import { short } from "./short_names.js";
import { clockTime, tellStory } from "./story.js";
import { text } from "./text.js";

/** @param {Page} page @param {string} message */
export function openStory(page, message) {
  page.model.selected = message;
  showStory(page);
  find("story-title").focus({ preventScroll: true });
  page.diagram.isStale = true;
}

/** It grows while the message is under way. @param {Page} page */
export function showStory({ model, view: { clientOnly } }) {
  const { selected } = model;
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

/** @param {Page} page */
export function closeStory({ model, diagram }) {
  const row = document.querySelector(`#rows button[data-message="${CSS.escape(model.selected ?? "")}"]`);
  model.selected = undefined;
  find("story").hidden = true;
  diagram.isStale = true;
  if (row instanceof HTMLElement) row.focus({ preventScroll: true });
}
