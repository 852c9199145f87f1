/**
 * The legend: each mark of the diagram that is in view, in words, and no other. page.js shows it anew when the
 * marks, the zoom or the language have changed.
 *
 * @typedef {import("./marks.js").MarkName} MarkName
 * @typedef {import("./text.js").TextKey} TextKey
 */

import { leastShownMs } from "./diagram.js";
import { find } from "./find.js";
import { SIGNS } from "./paint_deeds.js";
import { text } from "./text.js";
import { duration } from "./times.js";

/** @type {Record<MarkName, [mark: string, words: TextKey]>} */
export const LEGEND = {
  message: ["→", "markMessage"],
  ack: ["←", "markAck"],
  bar: ["▮", "markBar"],
  retry: ["×2", "markRetry"],
  moved: ["↷", "markMoved"],
  duplicate: ["▷", "markDuplicate"],
  lateAck: ["⇠", "markLateAck"],
  lost: ["→✕", "markLost"],
  omission: ["⊖", "markOmission"],
  crash: ["✕", "markCrash"],
  unsent: ["✕", "markUnsent"],
  failed: ["‖", "markFailed"],
  unknown: ["?", "markUnknown"],
  majority: ["◆", "markMajority"],
  notNeeded: ["▮", "markNotNeeded"],
  left: ["⊣", "markLeft"],
  expired: ["┆", "markExpired"],
  replaced: ["⇄", "markReplaced"],
  newId: ["–", "markNewId"],
  unreachable: ["┅", "markUnreachable"],
  launched: [SIGNS.launched, "markLaunched"],
  killed: [SIGNS.killed, "markKilled"],
  suspended: [SIGNS.suspended, "markSuspended"],
  resumed: [SIGNS.resumed, "markResumed"],
  toldToEnd: [SIGNS.toldToEnd, "markToldToEnd"],
  givenFault: [SIGNS.givenFault, "markGivenFault"],
  givenRate: [SIGNS.givenRate, "markGivenRate"],
  heartbeat: ["─", "markHeartbeat"],
  seam: ["≈", "markSeam"],
};
const SCALES = [1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000]; // milliseconds
const LEAST_PX = 10;

/** @param {Pick<import("./diagram.js").Diagram, "marks" | "pxPerMs">} diagram */
export function showLegend({ marks, pxPerMs }) {
  const shown = Object.entries(LEGEND).filter(([name]) => marks.has(/** @type {MarkName} */ (name)));
  const parts = shown.map(([name, [mark, words]]) => {
    const part = document.createElement("span");
    part.className = `mark-${name}`;
    part.textContent = `${mark} ${text(words)}`;
    return part;
  });
  find("legend").replaceChildren(...parts);
  find("legend-scale").textContent = tellScale(pxPerMs);
}

/** How fast time runs downwards, and what is drawn slower than it was. @param {number} pxPerMs */
export function tellScale(pxPerMs) {
  const ms = SCALES.find((each) => each * pxPerMs >= LEAST_PX) ?? 3_600_000;
  const scale = text("scaleIn", { n: Math.round(ms * pxPerMs), time: duration(ms) });
  return text("legend", { scale, least: duration(leastShownMs({ pxPerMs })) });
}
