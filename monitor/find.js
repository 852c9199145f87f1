/** The elements of index.html, by their ids. Whatever fills one of them finds it here. */

/** @template {Element} [T=HTMLElement] @param {string} id */
export const find = (id) => /** @type {T} */ (/** @type {unknown} */ (document.getElementById(id)));
