// The page of titles side by side: one chart of all of them, on one scale or relative, and a table of measures.

import { chart } from "./chart.js";
import { control, el } from "./dom.js";
import { asOf, card, catchingUp, figure, picked, range, titleLink, wide } from "./parts.js";
import { PARTS, without } from "./title.js";

export const heading = (comparison) => comparison.columns.map((column) => column.name).join(" · ");

export const view = (comparison) => [
  el("h1", {}, "Side by side"),
  asOf(comparison.as_of),
  comparison.columns.map(notice),
  drawing(comparison),
  wide("All measures", measures(comparison)),
];

function notice(column) {
  const of = el("h2", {}, titleLink(column.title_id, column.name));
  if (column.state !== "shown") return el("div", { "data-key": `of ${column.title_id}` }, of, without(column));
  return column.rebuilding.length ? el("div", { "data-key": `of ${column.title_id}` }, of, column.rebuilding.map((part) => catchingUp(PARTS[part]))) : null;
}

function drawing(comparison) {
  const isRelative = new URLSearchParams(location.search).get("relative") === "yes";
  const relative = control("input", { type: "checkbox", role: "switch", "data-action": "relative" }, { checked: isRelative });
  const draws = comparison.draws.map(([metric, words]) => ({ metric, words }));
  return card(
    "drawn",
    comparison.chart?.title ?? "Nothing to draw",
    isRelative ? "Each title against its own largest value: compare the shapes." : "All titles on one scale: compare the sizes.",
    el(
      "div",
      { class: "controls", role: "group", "aria-label": "What is drawn" },
      el("label", {}, "Show ", picked("drawn", draws, comparison.drawn)),
      comparison.of_measure ? el("label", {}, "of ", picked("measure", comparison.choices, comparison.measure)) : null,
      comparison.of_days ? range(comparison.first, comparison.last) : null,
      el("label", { class: "switch" }, relative, " relative"),
    ),
    comparison.chart ? chart(comparison.chart, isRelative) : el("p", { class: "notice" }, NOTHING[comparison.drawn]),
  );
}

const NOTHING = {
  weeks: "None of these titles has a complete week since its release with anything in it.",
  days: "Nothing was counted in these days.",
  audience: "None of these titles has reached a household in a complete week that is kept.",
  curve: "It is not known which parts are played: the catalog tells the length of none of these titles.",
  households: "Nobody has watched one of these titles for two minutes yet.",
};

function measures(comparison) {
  const heads = comparison.columns.map((one) => el("th", { scope: "col" }, titleLink(one.title_id, one.name)));
  return el(
    "table",
    { class: "comparison" },
    el("caption", { class: "unseen" }, "Measures of each title; the largest of each row is bold"),
    el("thead", {}, el("tr", {}, el("td", {}), heads)),
    comparison.blocks.map((block) =>
      el(
        "tbody",
        {},
        el("tr", {}, el("th", { class: "block", scope: "rowgroup", colspan: comparison.columns.length + 1 }, block.name)),
        block.lines.map((line) => el("tr", {}, el("th", { scope: "row" }, line.name), line.cells.map(measured))),
      ),
    ),
  );
}

const measured = (cell) => el("td", { class: cell.stands_out ? "stands-out" : undefined }, figure(cell.value));
