/**
 * The words on the page that are in no picture: its headings and buttons, the status. page.js and the controls
 * show them anew when they change.
 *
 * @typedef {import("./page.js").Page} Page
 */
import { tellMore } from "./crowd.js";
import { find } from "./find.js";
import { showColumns } from "./list.js";
import { goneOf } from "./lives.js";
import { showStory } from "./story_panel.js";
import { languageCode, text } from "./text.js";

/** @param {Element} element @param {string} name of its attribute @returns {string} */
function wordsOf(element, name) {
  return text(/** @type {import("./text.js").TextKey} */ (element.getAttribute(name)));
}

/** All words, in the language that is chosen. @param {Page} page */
export function showLanguage(page) {
  document.documentElement.lang = languageCode();
  document.title = text("title");
  for (const element of document.querySelectorAll("[data-text]"))
    element.textContent = wordsOf(element, "data-text");
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", wordsOf(element, "data-label"));
    if (element.matches("button")) element.setAttribute("title", wordsOf(element, "data-label"));
  }
  for (const element of document.querySelectorAll("[data-hint]"))
    element.setAttribute("placeholder", wordsOf(element, "data-hint"));
  find("language").lang = languageCode() === "en" ? "pt-BR" : "en";
  showStatus(page);
  showColumns(find("columns"));
  showStory(page);
  page.model.version += 1; // the pictures have words too
  page.isLegendNew = true;
  page.isNew = true;
}

/** How many have no lane in the diagram, as there are too many. @param {Page} page */
export function showMore({ diagram }) {
  const words = tellMore(diagram.more);
  find("more").hidden = words === "";
  find("more").textContent = words;
}

/** It is read aloud when it changes, so it is only written then. @param {Page} page */
export function showStatus(page) {
  const { problems, state } = tellStatus(page);
  const words = [text(state), ...problems].join(", ");
  const status = find("status");
  if (status.textContent !== words) status.textContent = words;
  status.className = problems.length > 0 || state === "disconnected" ? "warning" : state;
}

/**
 * @param {Pick<Page, "isConnected" | "lost" | "player" | "model">} page
 * @returns {{ problems: string[], state: "connected" | "past" | "replay" | "disconnected" }}
 */
export function tellStatus({ isConnected, lost, player, model }) {
  const discovery = model.byName.get("discovery");
  const problems = discovery && goneOf(discovery) ? [text("discoveryAway")] : [];
  if (lost > 0) problems.push(text("lost", { lost }));
  const shown = player.replay ? "replay" : player.isLive ? "connected" : "past";
  return { problems, state: isConnected ? shown : "disconnected" };
}
