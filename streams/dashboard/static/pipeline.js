// The page of the pipeline's health, and the line of it that stands on every page.

import { chart } from "./chart.js";
import { el } from "./dom.js";
import { asOf, card, catchingUp, measure } from "./parts.js";

export const heading = () => "Pipeline";

export const view = (pipeline) => [
  el("h1", {}, "Pipeline"),
  ...(pipeline.state === "shown" ? shown(pipeline) : [without(pipeline)]),
];

/** The pipeline's health in a line. */
export function line(pipeline) {
  const says = { shown: pipeline.summary, rebuilding: "catching up", unknown: "no worker yet" }[pipeline.state];
  return [el("span", { class: "live", "aria-hidden": "true" }), says];
}

function without(pipeline) {
  if (pipeline.state === "rebuilding") return catchingUp("All counters");
  return el("p", { class: "notice" }, "Nothing was ever published here: no worker has run, or the prefix is another.");
}

function shown(pipeline) {
  return [
    asOf(pipeline.as_of),
    el(
      "div",
      { class: "cards" },
      card("doing", "How it is doing", "", el("dl", { class: "totals" }, pipeline.health.map(measure))),
      card("records", "What became of the records", "", el("dl", { class: "totals" }, pipeline.records.map(measure))),
      card("refused", "What was refused", "Content that players reported and nobody was credited.", el("dl", { class: "totals" }, pipeline.refused.map(measure))),
      pipeline.pace ? card("pace", "Records a second", "Of late, two minutes at most.", chart(pipeline.pace)) : null,
    ),
  ];
}
