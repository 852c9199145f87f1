/**
 * What the page's address says: the language, and the message whose story is open. It is kept up to date, so
 * that it can be given to others. page.js reads it, whatever chooses one of the two writes it.
 *
 * @typedef {{ language?: string | undefined, message?: string | undefined }} Address
 */
import { chosenLanguage } from "./text.js";

const MAX_ID = 128; // of UTF-16 units: no message has a longer one
const REMEMBERED = "language";

/** Nothing in it is trusted: a language that there is, an id that could be one. @param {string} search @returns {Address} */
export function readAddress(search) {
  const asked = new URLSearchParams(search);
  const [language, message = ""] = [asked.get("lang"), asked.get("message") ?? undefined];
  return {
    language: language === "pt" || language === "en" ? language : undefined,
    message: message.length > 0 && message.length <= MAX_ID ? message : undefined,
  };
}

/** @param {string | undefined} message whose story is open */
export function writeAddress(message) {
  const said = new URLSearchParams({ lang: chosenLanguage(), ...(message && { message }) });
  history.replaceState(null, "", `?${said}`);
}

/** The language that was chosen before; a browser may refuse to keep anything. */
export function rememberedLanguage() {
  try {
    return localStorage.getItem(REMEMBERED) ?? undefined;
  } catch {
    return undefined;
  }
}

export function rememberLanguage() {
  try {
    localStorage.setItem(REMEMBERED, chosenLanguage());
  } catch {
    // It is asked again next time.
  }
}
