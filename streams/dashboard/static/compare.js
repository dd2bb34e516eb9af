// The page of titles side by side.

import { area, lyingBars, stackedBars, standingBars } from "./charts.js";
import { el } from "./dom.js";
import { asOf, figure, titleLink, wide } from "./parts.js";
import { audienceSays, curveSays, weeksSay, without } from "./title.js";

export const heading = (comparison) => comparison.columns.map((column) => column.name).join(" · ");

export const view = (comparison) => [
  el("h1", {}, "Side by side"),
  asOf(comparison.as_of),
  el("div", { class: "columns" }, comparison.columns.map(column)),
  wide("All measures", measures(comparison)),
];

function column(one) {
  const content = one.state === "shown" ? shown(one) : [without(one)];
  return el("section", { class: "card", "data-key": one.title_id }, el("h2", {}, titleLink(one.title_id, one.name)), ...content);
}

const shown = (one) => [
  one.weeks ? drawn("Week by week since the release, each on its own scale", standingBars(one.weeks, weeksSay(one.weeks))) : drawn("No weeks since a release."),
  lyingBars(one.funnel),
  one.audience ? drawn("Households reached by week, each on its own scale", stackedBars(one.audience, audienceSays(one.audience))) : null,
  one.curve ? drawn("Which parts are played, from beginning to end", area(one.curve, curveSays(one.curve))) : null,
];

const drawn = (words, chart = null) => [el("p", { class: "quiet" }, words), chart];

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
