/**
 * What is taken away from the page: the diagram in view as a file, and the last messages as Mermaid text. The
 * controls call it.
 *
 * @typedef {import("./diagram.js").Diagram} Diagram
 */
import { exportPng, exportSvg } from "./diagram.js";
import { find } from "./find.js";
import { text } from "./text.js";

const WITHIN_MS = 10_000;

/** @param {Diagram} diagram */
export function saveSvg(diagram) {
  save(new Blob([exportSvg(diagram)], { type: "image/svg+xml" }), "diagram.svg");
}

/** @param {Diagram} diagram */
export async function savePng(diagram) {
  save(await exportPng(diagram), "diagram.png");
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), WITHIN_MS);
}

export async function openMermaid() {
  /** @type {HTMLDialogElement} */
  const dialog = find("mermaid");
  /** @type {HTMLTextAreaElement} */
  const area = find("mermaid-text");
  area.value = "";
  find("mermaid-said").textContent = "";
  dialog.showModal();
  try {
    const answer = await fetch("diagram.mmd", { signal: AbortSignal.timeout(WITHIN_MS) });
    if (!answer.ok) throw new Error(`Cannot get the Mermaid text: ${answer.status}`);
    area.value = await answer.text();
  } catch {
    find("mermaid-said").textContent = text("notThere");
  }
}

export function closeMermaid() {
  /** @type {HTMLDialogElement} */ (find("mermaid")).close();
}

/** A page that didn't come over TLS may not write to the clipboard: then the text is selected, for a person to copy. */
export async function copyMermaid() {
  /** @type {HTMLTextAreaElement} */
  const area = find("mermaid-text");
  try {
    await navigator.clipboard.writeText(area.value);
    find("mermaid-said").textContent = text("copied");
  } catch {
    area.focus();
    area.select();
    find("mermaid-said").textContent = text("copyByHand");
  }
}
