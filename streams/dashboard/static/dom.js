// Elements made of text alone, and a page that changes where it stands.
//
// Owns how elements are made (never from markup: what comes from events stays text) and how a page that is shown gets
// new content without losing focus, selection or scroll position.

const SVG = "http://www.w3.org/2000/svg";

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

/** An HTML element with attributes; children are elements, text, or lists of them. */
export const el = (tag, attributes = {}, ...children) => made(document.createElement(tag), attributes, children);

/** The same in SVG. */
export const svg = (tag, attributes = {}, ...children) => made(document.createElementNS(SVG, tag), attributes, children);

/** A form's element whose state is set with it: `state` are properties such as `checked` or `value`. */
export function control(tag, attributes, state, ...children) {
  const node = el(tag, attributes, ...children);
  node.state = state;
  return Object.assign(node, state);
}

/** Make the children of `live` be like `next`; what is alike stays where it is, rows are known by `data-key`. */
export function show(live, ...next) {
  const focused = document.activeElement;
  patchChildren(live, el("div", {}, ...next).childNodes);
  // A row that was moved has lost it.
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

const keyOf = (node) => node.dataset?.key;

function patchChildren(live, children) {
  const keyed = new Map([...live.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
  let at = live.firstChild;
  for (const next of [...children]) {
    const found = keyOf(next) ? keyed.get(keyOf(next)) : alike(at, next) ? at : null;
    if (!found || found.nodeName !== next.nodeName) live.insertBefore(next, at);
    else {
      if (found === at) at = at.nextSibling;
      else live.insertBefore(found, at);
      patch(found, next);
    }
  }
  while (at) {
    const after = at.nextSibling;
    at.remove();
    at = after;
  }
}

const alike = (live, next) => live !== null && !keyOf(live) && live.nodeName === next.nodeName;

function patch(live, next) {
  if (live.nodeType === Node.TEXT_NODE) {
    if (live.data !== next.data) live.data = next.data;
    return;
  }
  for (const { name } of [...live.attributes]) if (!next.hasAttribute(name)) live.removeAttribute(name);
  for (const { name, value } of next.attributes) {
    if (live.getAttribute(name) !== value) live.setAttribute(name, value);
  }
  if (!live.drawsItself) patchChildren(live, next.childNodes);
  // What is being typed is newer than what was asked for.
  if (live.type === "search" && live === document.activeElement) return;
  for (const [name, value] of Object.entries(next.state ?? {})) if (live[name] !== value) live[name] = value;
}
