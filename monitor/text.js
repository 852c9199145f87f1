/** The texts of the page, in the language that is chosen. Whatever shows words calls it. */
import { printable } from "./short_names.js";
import { DESK_EN, DESK_PT } from "./texts_desk.js";
import { EN, EN_COLUMNS } from "./texts_en.js";
import { PT, PT_COLUMNS } from "./texts_pt.js";

const TEXTS = { en: { ...EN, ...DESK_EN }, pt: { ...PT, ...DESK_PT } };
const COLUMNS = { en: EN_COLUMNS, pt: PT_COLUMNS };

/** @typedef {keyof typeof TEXTS} Language */
/** @typedef {keyof typeof TEXTS.en} TextKey */

/** @type {Language} */
let language = "en";

/** @param {string} code the browser's, such as pt-BR */
export function chooseLanguage(code) {
  language = code.startsWith("pt") ? "pt" : "en";
}

/** The one that is chosen now. */
export function chosenLanguage() {
  return language;
}

/** The code of the language, for the page's `lang`. */
export function languageCode() {
  return language === "pt" ? "pt-BR" : "en";
}

/**
 * A text, its `{names}` filled in with what may come from outside.
 * @param {TextKey} key @param {Record<string, string | number>} [values]
 */
export function text(key, values = {}) {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name) => printable(String(values[name] ?? "?")));
}

export function columns() {
  return COLUMNS[language];
}
