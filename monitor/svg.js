/** Elements of SVG, which the picture of the group and its dots are drawn with. */

const NS = "http://www.w3.org/2000/svg";

/** @param {Element} parent @param {string} name @param {Record<string, string | number>} [attributes] */
export function draw(parent, name, attributes = {}) {
  const element = document.createElementNS(NS, name);
  set(element, attributes);
  parent.append(element);
  return element;
}

/** Writes a text, unless it is there already. @param {Element} element @param {string} words */
export function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Sets what isn't so already. @param {Element} element @param {Record<string, string | number>} attributes */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const wanted = String(value);
    if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
  }
}
