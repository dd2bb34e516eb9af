// The page of a franchise: how its households come back, whichever of its titles they watch, and its titles.

import { titlesTable } from "./board.js";
import { lyingBars } from "./charts.js";
import { el } from "./dom.js";
import { address, asOf, card, catchingUp, measure, named } from "./parts.js";

export const heading = (franchise) => franchise.franchise_id;

export const view = (franchise) => [
  el("h1", {}, named(franchise.franchise_id)),
  el("p", { class: "quiet" }, "A franchise: a household counts once, whichever of its titles it watched."),
  ...(franchise.state === "shown" ? shown(franchise) : [without(franchise)]),
];

function without(franchise) {
  if (franchise.state === "rebuilding") return catchingUp("The counters of this franchise");
  return el("p", { class: "notice" }, "No counters of this franchise: nobody has watched one of its titles yet, or its id is another.");
}

function shown(franchise) {
  return [
    asOf(franchise.as_of),
    el("dl", { class: "headline" }, franchise.headline.map(measure)),
    el(
      "div",
      { class: "cards" },
      card("titles", "Its titles", "Those with the most completions first.", titles(franchise)),
      card("funnel", "Households, from start to again", "", lyingBars(franchise.funnel)),
      card("histogram", "How often they completed it", "Households by their number of completions.", lyingBars(franchise.histogram)),
      card("again", "What becomes of its completions", "Completions that the same household followed with another, and how they were made.", el("dl", { class: "totals" }, franchise.again.map(measure))),
      card("totals", "All time", "", el("dl", { class: "totals" }, franchise.totals.map(measure))),
    ),
  ];
}

function titles({ titles, heads, drawn }) {
  if (!titles.length) return el("p", { class: "quiet" }, "None is known yet: one that is new is found within a minute.");
  const first = titles.slice(0, drawn).map((row) => row.id);
  return [
    first.length > 1 ? el("p", {}, el("a", { href: address("/compare", first) }, `Compare ${titles.length > drawn ? `the first ${drawn}` : "them"} in one chart`)) : null,
    titlesTable(titles, "completions", heads),
  ];
}
