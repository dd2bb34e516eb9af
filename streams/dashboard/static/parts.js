// What several pages have in common: numbers, links to titles, cards, and what is said where there are no numbers.

import { control, el } from "./dom.js";

/** A number: short to read, exact on hover. */
export function figure(value, className = "figure") {
  const says = value.exact && value.exact !== value.text;
  return says ? el("abbr", { class: className, title: value.exact }, value.text) : el("span", { class: className }, value.text);
}

/** A name as it is, whatever is in it and whichever way it is written. */
export const named = (name) => el("bdi", {}, name);

/** Where a page of titles is. */
export const address = (path, ids) => `${path}?${new URLSearchParams(ids.map((id) => ["id", id]))}`;

/** A link to a title's page. */
export const titleLink = (id, name) => el("a", { class: "name", href: address("/title", [id]) }, named(name));

/** A link to a franchise's page. */
export const franchiseLink = (id) => el("a", { class: "name", href: address("/franchise", [id]) }, named(id));

/** The address of this page with other choices; an empty one is the default. */
export function chosenBy(choices) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(choices)) {
    query.delete(name);
    for (const one of [value].flat()) if (one) query.append(name, one);
  }
  return `${location.pathname}${query.size ? `?${query}` : ""}`;
}

/** A choice of measures, that stands in the address by this name. */
export function picked(name, choices, value) {
  const options = choices.map((choice) => el("option", { value: choice.metric }, choice.words));
  return control("select", { "data-action": "ask", "data-name": name }, { value }, options);
}

/** From which UTC day to which. */
export const range = (first, last) => [
  el("label", {}, "from ", control("input", { type: "date", "data-action": "ask", "data-name": "from", min: "1970-01-01", max: last }, { value: first })),
  el("label", {}, "to ", control("input", { type: "date", "data-action": "ask", "data-name": "to", min: first }, { value: last })),
];

/** A part of a page under its heading. */
export function card(id, heading, note, ...content) {
  return el(
    "section",
    { class: "card", "aria-labelledby": id, "data-key": id },
    el("h2", { id }, heading),
    note ? el("p", { class: "quiet" }, note) : null,
    ...content,
  );
}

/** A number under its name, and what else is said of it. */
export const measure = (one) =>
  el("div", {}, el("dt", {}, one.name), el("dd", {}, figure(one.value), one.beside ? el("small", {}, one.beside) : null));

/** What may be wider than the page: it scrolls by itself, by keyboard too. */
export const wide = (label, ...content) => el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, ...content);

/** Up to when everything is in. */
export const asOf = (text) => el("p", { class: "quiet" }, text ? `as of ${text}` : "no events yet");

/** That numbers are too small yet, and therefore not shown. */
export const catchingUp = (what) =>
  el("p", { class: "notice" }, `${what}: catching up. The numbers are written anew, after a loss or for a rebuild, and shown once they are complete.`);
