// The page of a title: who came, who stayed, who came back, and when.

import { chart } from "./chart.js";
import { heat, lyingBars } from "./charts.js";
import { el } from "./dom.js";
import { asOf, card, catchingUp, figure, franchiseLink, measure, named, picked, range, wide } from "./parts.js";

/** What the sections are called that may be missing. */
export const PARTS = { ages: "Since release", weeks: "Week by week", dayparts: "When it is watched", legs: "Staying power", hours: "Completions by the hour", audience: "Audience by week", curve: "Which parts are played", by_day: "Day by day" };
const WINDOW = ["watched", "starters", "completers", "completions", "rewatches"];

export const heading = (title) => title.name;

export const view = (title) => [
  el("h1", {}, named(title.name), title.legs?.unstoppable ? el("span", { class: "badge" }, "unstoppable") : null),
  el("p", { class: "quiet" }, title.name === title.title_id ? null : [named(title.title_id), " · "], title.franchise_id ? ["franchise ", franchiseLink(title.franchise_id), " · "] : null, compare(title)),
  ...(title.state === "shown" ? shown(title) : [without(title)]),
];

function compare(title) {
  return el("a", { href: `/?${new URLSearchParams({ with: title.title_id })}` }, "Compare with another title");
}

/** What is said of a title, or of a column, that has no numbers to show. */
export function without(title) {
  if (title.state === "rebuilding") return catchingUp("The counters of this title");
  return el("p", { class: "notice" }, "No counters of this title: nobody has watched it yet, or its id is another.");
}

function shown(title) {
  return [
    asOf(title.as_of),
    title.rebuilding.map((part) => catchingUp(PARTS[part])),
    el("dl", { class: "headline" }, title.headline.map(measure)),
    el(
      "div",
      { class: "cards" },
      card("funnel", "Households, from start to again", "", lyingBars(title.funnel)),
      card("histogram", "How often they completed it", "Households by their number of completions.", lyingBars(title.histogram)),
      card("again", "What becomes of its completions", "Completions that the same household followed with another, and how they were made.", el("dl", { class: "totals" }, title.again.map(measure))),
      title.weeks ? card("weeks", "Week by week since the release", "Watched time, against that of the first 72 hours.", chart(title.weeks)) : null,
      title.by_day ? card("by_day", "Day by day", "", byDay(title.by_day)) : null,
      title.audience ? card("audience", "Audience by week", AUDIENCE, chart(title.audience)) : null,
      title.curve ? card("curve", "Which parts are played", "How often each part was played, from the beginning to the end.", chart(title.curve)) : null,
      title.rebuilding.includes("hours") ? null : card("hours", "Completions by the hour", "The last 72 hours, UTC.", title.hours ? chart(title.hours) : el("p", { class: "quiet" }, "Nobody completed it in these hours.")),
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

function byDay(of) {
  return [
    el("div", { class: "controls", role: "group", "aria-label": "Which days" }, el("label", {}, "Show ", picked("measure", of.choices, of.measure)), range(of.first, of.last)),
    of.chart ? chart(of.chart) : el("p", { class: "notice" }, "Nothing was counted in these days."),
  ];
}

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
