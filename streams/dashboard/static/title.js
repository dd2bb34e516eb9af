// The page of a title: who came, who stayed, who came back, and when.

import { area, heat, lyingBars, stackedBars, standingBars } from "./charts.js";
import { el } from "./dom.js";
import { asOf, card, figure, measure, named, rebuilding, wide } from "./parts.js";

const NAMES = { ages: "Since release", weeks: "Week by week", dayparts: "When it is watched", legs: "Staying power", hours: "Completions by the hour", audience: "Audience by week", curve: "Which parts are played" };
const WINDOW = ["watched", "starters", "completers", "completions", "rewatches"];

export const heading = (title) => title.name;

export const view = (title) => [
  el("h1", {}, named(title.name), title.legs?.unstoppable ? el("span", { class: "badge" }, "unstoppable") : null),
  el("p", { class: "quiet" }, title.name === title.title_id ? null : named(`${title.title_id} `), compare(title)),
  ...(title.state === "shown" ? shown(title) : [without(title)]),
];

function compare(title) {
  return el("a", { href: `/?${new URLSearchParams({ with: title.title_id })}` }, "Compare with another title");
}

/** What is said of a title, or of a column, that has no numbers to show. */
export function without(title) {
  if (title.state === "rebuilding") return rebuilding("The counters of this title");
  return el("p", { class: "notice" }, "No counters of this title: nobody has watched it yet, or its id is another.");
}

function shown(title) {
  return [
    asOf(title.as_of),
    title.rebuilding.map((part) => rebuilding(NAMES[part])),
    el("dl", { class: "headline" }, title.headline.map(measure)),
    el(
      "div",
      { class: "cards" },
      card("funnel", "Households, from start to again", "", lyingBars(title.funnel)),
      card("histogram", "How often they completed it", "Households by their number of completions.", lyingBars(title.histogram)),
      card("again", "What becomes of its completions", "Completions that the same household followed with another, and how they were made.", el("dl", { class: "totals" }, title.again.map(measure))),
      title.weeks ? card("weeks", "Week by week since the release", "Watched time, against that of the first 72 hours.", standingBars(title.weeks, weeksSay(title.weeks))) : null,
      title.audience ? card("audience", "Audience by week", AUDIENCE, stackedBars(title.audience, audienceSays(title.audience))) : null,
      title.curve ? card("curve", "Which parts are played", "How often each part was played, from the beginning to the end.", area(title.curve, curveSays(title.curve))) : null,
      title.hours ? card("hours", "Completions by the hour", "The last 72 hours, UTC.", standingBars(title.hours, `Completions in each of the last 72 hours, ${title.hours.top} at most`)) : null,
      title.dayparts ? card("dayparts", "When it is watched", "In the households' own time; each column adds up to 100 %.", heat(title.dayparts, "Parts of the day, by watched time and completions", "part of the day")) : null,
      title.streaks ? card("streaks", "Habit", "Households that have watched it on so many days in a row, up to now.", heat(title.streaks, "Households with a streak, by part of the day", "part of the day")) : null,
      title.legs ? card("legs", "Staying power", `As of week ${title.legs.week}, its last complete one.`, legs(title.legs)) : null,
      title.ages.length ? card("ages", "Since the release", "", ages(title.ages)) : null,
      card("totals", "All time", "", el("dl", { class: "totals" }, title.totals.map(measure))),
    ),
  ];
}

const AUDIENCE =
  "Households that watched 2 minutes or more in a UTC week: new ones, those of the week before (returning), and those of an earlier week only (resurrected).";

export const audienceSays = (stacks) => `Households reached in each of ${stacks.bars.length} weeks, ${stacks.top} at most, by what they were before`;

export const curveSays = (curve) => `How often each part was played, ${curve.top} at most`;

export const weeksSay = (weeks) => `Watched time in each of ${weeks.bars.length} weeks, ${weeks.top} at most`;

function legs(found) {
  return [
    el("dl", { class: "totals" }, found.figures.map(measure)),
    wide(
      "What unstoppable is judged by",
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, ["unstoppable?", "now", "a week before", "asked", ""].map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, found.criteria.map(criterion)),
      ),
    ),
    el("p", { class: "verdict" }, found.unstoppable ? "It is unstoppable." : "It is not unstoppable, or not yet."),
  ];
}

const criterion = (one) =>
  el(
    "tr",
    {},
    el("th", { scope: "row" }, one.name),
    el("td", {}, figure(one.now)),
    el("td", {}, figure(one.before)),
    el("td", { class: "asked" }, one.asked),
    el("td", {}, one.is_met ? "yes" : "no"),
  );

function ages(rows) {
  return wide(
    "Counters by age",
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, el("td", {}), WINDOW.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map(([name, cells]) => el("tr", {}, el("th", { scope: "row" }, name), cells.map((value) => el("td", {}, figure(value)))))),
    ),
  );
}
