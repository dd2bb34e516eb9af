// Small drawings without axes: bars that lie, cells that are dark. Lengths come as shares from 0 to 1.
//
// Nothing here has a style of its own: the page's policy allows none. Widths are percentages, so drawings fit any page.

import { el, svg } from "./dom.js";
import { figure } from "./parts.js";

const percent = (share) => `${(share * 100).toFixed(2)}%`;

/** A lying bar; something is to be seen of whatever is not 0. */
export function bar(share, className = "bar") {
  const length = share > 0 ? Math.max(share, 0.006) : 0;
  const drawn = svg("rect", { class: "fill", width: percent(length), height: "100%", rx: 2 });
  return svg("svg", { class: className, "aria-hidden": "true" }, drawn);
}

/** Rows of a name, a bar and a number; what is said of each stands below its name. */
export function lyingBars(rows) {
  return el(
    "ul",
    { class: "lying" },
    rows.map((row) =>
      el(
        "li",
        {},
        el("span", { class: "label" }, row.name, row.beside ? el("small", {}, row.beside) : null),
        bar(row.value.share),
        figure(row.value),
      ),
    ),
  );
}

/** A table whose cells are the darker, the more there is. */
export function heat(table, caption, first) {
  return el(
    "table",
    { class: "heat" },
    el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, first), table.heads.map((head) => el("th", { scope: "col" }, head)))),
    el(
      "tbody",
      {},
      table.rows.map(([name, cells]) => el("tr", { "data-key": name }, el("th", { scope: "row" }, name), cells.map(heatCell))),
    ),
  );
}

const heatCell = (value) => el("td", { class: `heat-${Math.ceil((value.share ?? 0) * 8)}` }, figure(value));
