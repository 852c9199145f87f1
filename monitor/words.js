/**
 * The words on the page that are in no picture: its headings and buttons, the legend, the status. page.js and
 * the controls show them anew when they change.
 *
 * @typedef {import("./page.js").Page} Page
 */
import { tellMore } from "./crowd.js";
import { find } from "./find.js";
import { showColumns } from "./list.js";
import { showStory } from "./story_panel.js";
import { languageCode, text } from "./text.js";

const LEGEND = /** @type {const} */ ([
  ["→", "legendMessage"],
  ["←", "legendAck"],
  ["▮", "legendBar"],
  ["✕", "legendLost"],
  ["▷", "legendDup"],
]);

/** All words, in the language that is chosen. @param {Page} page */
export function showLanguage(page) {
  document.documentElement.lang = languageCode();
  document.title = text("title");
  for (const element of document.querySelectorAll("[data-text]")) {
    const key = /** @type {import("./text.js").TextKey} */ (element.getAttribute("data-text"));
    element.textContent = text(key);
  }
  find("language").textContent = text("language");
  find("language").lang = languageCode() === "en" ? "pt-BR" : "en";
  showLegend();
  showPause(page.diagram.paused);
  showStatus(page);
  showColumns(find("columns"));
  showStory(page);
  page.diagram.isStale = true;
  page.isNew = true;
}

function showLegend() {
  const parts = LEGEND.map(([mark, key]) => {
    const part = document.createElement("span");
    part.className = key;
    part.textContent = `${mark} ${text(key)}`;
    return part;
  });
  const words = document.createElement("small");
  words.textContent = text("legend");
  find("legend").replaceChildren(...parts, words);
}

/** @param {boolean} paused */
export function showPause(paused) {
  find("pause").textContent = text(paused ? "resume" : "pause");
  find("pause").setAttribute("aria-pressed", String(paused));
}

/** How many have no lane in the diagram, as there are too many. @param {Page} page */
export function showMore({ diagram }) {
  const words = tellMore(diagram.more);
  find("more").hidden = words === "";
  find("more").textContent = words;
}

/** @param {Page} page */
export function showStatus({ isConnected, lost }) {
  const words = [text(isConnected ? "connected" : "disconnected")];
  if (lost > 0) words.push(text("lost", { lost }));
  find("status").textContent = words.join(", ");
  find("status").className = isConnected && lost === 0 ? "" : "warning";
}
