// The page of a board: titles or franchises ranked, a search, pages, and a choice of titles to compare.

import { bar } from "./charts.js";
import { control, el } from "./dom.js";
import { address, asOf, catchingUp, chosenBy, figure, franchiseLink, picked, titleLink } from "./parts.js";

const SAYS = {
  title: { heading: "Titles", one: "title", link: titleLink },
  franchise: { heading: "Franchises", one: "franchise", link: franchiseLink },
};
const chosen = new Set(new URLSearchParams(location.search).getAll("with"));

/** Take a title into the choice, or out of it; the address holds it, so that it lasts from page to page. */
export function choose(id, is) {
  if (is) chosen.add(id);
  else chosen.delete(id);
  history.replaceState(null, "", chosenBy({ with: [...chosen] }));
}

export const heading = (board) =>
  [board.search && `“${board.search}”`, `${board.words}, ${board.day ? `${board.day} UTC` : "all time"}`, board.page > 1 && `page ${board.page}`]
    .filter(Boolean)
    .join(" · ");

export const view = (board) => [
  el("h1", {}, SAYS[board.kind].heading),
  controls(board),
  asOf(board.as_of),
  board.complete ? shown(board) : catchingUp("This board"),
  comparing(),
];

function controls(board) {
  const choices = board.choices.filter((choice) => !board.day || choice.of_days);
  const ofDays = board.choices.find((choice) => choice.metric === board.metric).of_days;
  const search = control("input", { type: "search", "data-action": "ask", "data-name": "search", maxlength: "200", placeholder: "name or id", autocomplete: "off" }, { value: board.search });
  const day = control("input", { type: "date", "data-action": "ask", "data-name": "day", disabled: !ofDays }, { value: board.day });
  return el(
    "div",
    { class: "controls", role: "search", "aria-label": "What is ranked" },
    el("label", {}, "Search ", search),
    el("label", {}, "Ranked by ", picked("metric", choices, board.metric)),
    board.kind === "title" ? el("label", {}, "on a UTC day ", day) : null,
    board.day ? el("a", { href: chosenBy({ day: "", page: "" }) }, "all time") : null,
  );
}

const shown = (board) => [found(board), board.rows.length ? ranked(board) : nothing(board), pages(board)];

function found(board) {
  if (!board.search) return null;
  const { one, heading } = SAYS[board.kind];
  const says = `${board.found.toLocaleString("en")} ${board.found === 1 ? one : heading.toLowerCase()} found.`;
  const franchises = board.franchises.length ? [" Franchises: ", board.franchises.map((id, place) => [place ? ", " : "", franchiseLink(id)])] : [];
  return el("p", { class: "found", role: "status" }, says, franchises);
}

function nothing(board) {
  if (board.search) return el("p", { class: "notice" }, "Nothing has all of these words in its name or id. One that is new is found within a minute.");
  if (board.page > 1) return el("p", { class: "notice" }, "This page is empty: there are fewer.");
  if (board.kind === "franchise") return el("p", { class: "notice" }, "No franchise is on this board: the catalog names none, or nobody has watched one.");
  return el("p", { class: "notice" }, board.day ? "Nothing was counted on this day." : "No title is on this board yet: nobody has watched one, or too few have to rank a rate.");
}

function pages(board) {
  if (board.page === 1 && !board.more) return null;
  const to = (page, words, rel) => el("a", { href: chosenBy({ page: page > 1 ? page : "" }), rel }, words);
  return el(
    "nav",
    { class: "pages", "aria-label": "Pages of the board" },
    board.page > 1 ? to(board.page - 1, "← before", "prev") : el("span", {}),
    el("span", {}, `page ${board.page}`),
    board.more ? to(board.page + 1, "next →", "next") : el("span", {}),
  );
}

function ranked(board, drawn = board.kind === "title" ? board.drawn : 0) {
  const heads = [["place", "#"], ["title", SAYS[board.kind].one], ["score", board.words], ...board.heads.map((head) => ["beside", head])];
  return el(
    "table",
    { class: "board", role: "table" },
    el("caption", { class: "unseen" }, `${SAYS[board.kind].heading} by ${heading(board)}`),
    el(
      "thead",
      { role: "rowgroup" },
      el("tr", { role: "row" }, heads.map(([kind, head]) => cell("th", kind, { scope: "col" }, head)), drawn ? cell("th", "pick", { scope: "col" }, "compare") : null),
    ),
    el("tbody", { role: "rowgroup" }, board.rows.map((row) => line(row, board.heads, SAYS[board.kind].link, drawn))),
  );
}

const cell = (tag, kind, attributes, ...content) =>
  el(tag, { class: kind, role: tag === "th" ? "columnheader" : "cell", ...attributes }, ...content);

function line(row, heads, link, drawn) {
  const beside = row.beside.length
    ? row.beside.map((value, place) => cell("td", "beside", { "data-label": heads[place] }, figure(value)))
    : heads.map((head, place) => cell("td", "beside", { "data-label": head }, !row.complete && !place ? "catching up" : "–"));
  return el(
    "tr",
    { "data-key": row.id, role: "row" },
    cell("td", "place", {}, row.place ? row.place.toLocaleString("en") : "–"),
    cell("td", "title", {}, link(row.id, row.name), bar(row.score.share ?? 0)),
    cell("td", "score", {}, figure(row.score)),
    beside,
    drawn ? cell("td", "pick", {}, pick(row, drawn)) : null,
  );
}

function pick(row, drawn) {
  const checked = chosen.has(row.id);
  const attributes = {
    type: "checkbox", "data-action": "choose", "data-id": row.id,
    "aria-label": `Compare ${row.name}`, disabled: !checked && chosen.size >= drawn,
  };
  return control("input", attributes, { checked });
}

function comparing() {
  const ids = [...chosen];
  if (!ids.length) return null;
  const what = ids.length < 2 ? "Choose another title to compare with" : `Compare ${ids.length} titles`;
  const link = ids.length < 2 ? el("span", {}, what) : el("a", { href: address("/compare", ids) }, what);
  return el("div", { class: "comparing", role: "status", "data-key": "comparing" }, link);
}

/** A table of titles with what stands beside, as on a board. */
export const titlesTable = (rows, words, heads) =>
  ranked({ kind: "title", rows, words, heads, day: "", page: 1, search: "" }, 0);
