// The page of a board: titles ranked, what to rank by, and a choice of titles to compare.

import { bar } from "./charts.js";
import { control, el } from "./dom.js";
import { address, asOf, figure, rebuilding, titleLink } from "./parts.js";

const MOST = 4;
const chosen = new Map(new URLSearchParams(location.search).getAll("with").map((id) => [id, id]));

/** Take a title into the choice, or out of it. */
export function choose(id, name, is) {
  if (is && chosen.size < MOST) chosen.set(id, name);
  else chosen.delete(id);
}

/** The query of a board. */
export const query = (metric, day) => `?${new URLSearchParams(day ? { metric, day } : { metric })}`;

export const heading = (board) => `${board.words}, ${board.day ? `${board.day} UTC` : "all time"}`;

export const view = (board) => [
  el("h1", {}, "Titles"),
  controls(board),
  asOf(board.as_of),
  board.complete ? ranked(board) : rebuilding("This board"),
  comparing(),
];

function controls(board) {
  const choices = board.choices.filter((choice) => !board.day || choice.of_days);
  const options = choices.map((choice) => el("option", { value: choice.metric }, choice.words));
  const select = control("select", { "data-action": "metric" }, { value: board.metric }, options);
  const ofDays = board.choices.find((choice) => choice.metric === board.metric).of_days;
  const day = control("input", { type: "date", "data-action": "day", disabled: !ofDays }, { value: board.day });
  const all = board.day ? el("a", { href: `/${query(board.metric, "")}` }, "all time") : null;
  return el(
    "div",
    { class: "controls", role: "group", "aria-label": "What is ranked" },
    el("label", {}, "Ranked by ", select),
    el("label", {}, "on a UTC day ", day),
    all,
  );
}

function ranked(board) {
  if (!board.rows.length) return el("p", { class: "quiet" }, "No title is on this board.");
  const heads = [["place", "#"], ["title", "title"], ["score", board.words], ...board.heads.map((head) => ["beside", head])];
  return el(
    "table",
    { class: "board", role: "table" },
    el("caption", { class: "unseen" }, `Titles by ${heading(board)}`),
    el(
      "thead",
      { role: "rowgroup" },
      el("tr", { role: "row" }, heads.map(([kind, head]) => cell("th", kind, { scope: "col" }, head)), cell("th", "pick", { scope: "col" }, "compare")),
    ),
    el("tbody", { role: "rowgroup" }, board.rows.map((row) => line(row, board.heads))),
  );
}

const cell = (tag, kind, attributes, ...content) =>
  el(tag, { class: kind, role: tag === "th" ? "columnheader" : "cell", ...attributes }, ...content);

function line(row, heads) {
  const beside = row.beside.length
    ? row.beside.map((value, place) => cell("td", "beside", { "data-label": heads[place] }, figure(value)))
    : heads.map((head, place) => cell("td", "beside", { "data-label": head }, !row.complete && !place ? "being rebuilt" : "–"));
  return el(
    "tr",
    { "data-key": row.title_id, role: "row" },
    cell("td", "place", {}, String(row.place)),
    cell("td", "title", {}, titleLink(row.title_id, row.name), bar(row.score.share)),
    cell("td", "score", {}, figure(row.score)),
    beside,
    cell("td", "pick", {}, pick(row)),
  );
}

function pick(row) {
  const checked = chosen.has(row.title_id);
  const attributes = {
    type: "checkbox", "data-action": "choose", "data-id": row.title_id, "data-name": row.name,
    "aria-label": `Compare ${row.name}`, disabled: !checked && chosen.size >= MOST,
  };
  return control("input", attributes, { checked });
}

function comparing() {
  const ids = [...chosen.keys()];
  if (!ids.length) return null;
  const what = ids.length < 2 ? "Choose another title to compare with" : `Compare ${ids.length} titles`;
  const link = ids.length < 2 ? el("span", {}, what) : el("a", { href: address("/compare", ids) }, what);
  return el("div", { class: "comparing", role: "status", "data-key": "comparing" }, link);
}
