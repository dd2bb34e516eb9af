// Drawings: bars that lie, bars that stand, cells that are dark. Plain SVG; lengths come as shares from 0 to 1.
//
// Nothing here has a style of its own: the page's policy allows none. Widths are percentages, so drawings fit any page.

import { el, svg } from "./dom.js";
import { figure } from "./parts.js";

const HEIGHT = 150;

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

/** Standing bars, one for each time; with a level line where there is something to be measured against. */
export function standingBars(chart, summary) {
  const width = 1 / chart.bars.length;
  const lineY = HEIGHT * (1 - (chart.line_share ?? 0));
  const label = chart.line ? `${summary}; the line: ${chart.line}` : summary;
  return el(
    "figure",
    { class: "chart" },
    el("p", { class: "top" }, chart.top, chart.line ? el("span", { class: "line-says" }, chart.line) : null),
    svg(
      "svg",
      { class: "standing", height: HEIGHT, role: "img", "aria-label": label },
      chart.bars.map((one, place) => standing(one, place, width)),
      chart.line ? svg("line", { class: "level", x1: "0", x2: "100%", y1: lineY, y2: lineY }) : null,
    ),
    el("div", { class: "axis", "aria-hidden": "true" }, ticks(chart.bars, width)),
  );
}

function standing(one, place, width) {
  const share = one.share ?? 0;
  const height = share > 0 ? Math.max(share * HEIGHT, 2) : 0;
  const [x, wide] = [percent(width * (place + 0.1)), percent(width * 0.8)];
  return svg(
    "g",
    {},
    svg("rect", { class: "hover", x: percent(width * place), width: percent(width), height: HEIGHT }, svg("title", {}, one.says)),
    svg("rect", { class: one.so_far ? "fill so-far" : "fill", x, y: HEIGHT - height, width: wide, height, rx: 1 }),
  );
}

function ticks(bars, width) {
  const named = bars.map((one, place) => [one.tick, place]).filter(([tick]) => tick);
  return svg(
    "svg",
    { class: "ticks", height: 16 },
    named.map(([tick, place]) => svg("text", { x: percent(width * (place + 0.5)), y: 12, "text-anchor": "middle" }, tick)),
  );
}

const MARKS_HEIGHT = 36;
// The part of the width that a label takes on a phone.
const ROOM = 0.45;

/** An area from left to right, with marks of what stands out above it, and what is said of them below. */
export function area(drawn, summary) {
  const says = drawn.notes.map(([name, words]) => `${name}: ${words}`).join("; ");
  return el(
    "figure",
    { class: "chart" },
    el("p", { class: "top" }, drawn.top),
    svg(
      "svg",
      { class: "standing", height: MARKS_HEIGHT + HEIGHT, role: "img", "aria-label": `${summary}; ${says}` },
      drawn.marks.map(spread),
      course_of(drawn.heights),
      labelled(drawn.marks).map(mark),
      drawn.says.map((words, place) => part(words, place, drawn.says.length)),
    ),
    el("div", { class: "axis", "aria-hidden": "true" }, ends(drawn.ticks)),
    el("dl", { class: "notes" }, drawn.notes.map(([name, words]) => el("div", {}, el("dt", {}, name), el("dd", {}, words)))),
  );
}

function course_of(heights) {
  const top = heights.map((share) => (HEIGHT * (1 - share)).toFixed(1));
  const line = [`0 ${top[0]}`, ...top.map((y, place) => `${place + 0.5} ${y}`), `${top.length} ${top.at(-1)}`].join(" L");
  const box = { y: MARKS_HEIGHT, width: "100%", height: HEIGHT, viewBox: `0 0 ${top.length} ${HEIGHT}`, preserveAspectRatio: "none" };
  return svg(
    "svg",
    box,
    svg("path", { class: "under", d: `M${line} L${top.length} ${HEIGHT} L0 ${HEIGHT} Z` }),
    svg("path", { class: "course", d: `M${line}`, "vector-effect": "non-scaling-stroke" }),
  );
}

const spread = (one) =>
  svg("rect", { class: "spread", x: percent(one.start), y: MARKS_HEIGHT, width: percent(one.end - one.start), height: HEIGHT });

/** Where marks are labelled: away from each other where there is room, in rows, and no line crosses a label. */
function labelled(marks) {
  const sorted = marks.map((one) => ({ ...one, x: (one.start + one.end) / 2 })).sort((a, b) => a.x - b.x);
  const last = sorted.length - 1;
  const anchored = sorted.map((one, place) => ({ ...one, anchor: (place < last ? one.x < ROOM : one.x <= 1 - ROOM) ? "start" : "end" }));
  const upper = anchored.at(-1)?.anchor === "end" ? last : 0;
  return anchored.map((one, place) => ({ ...one, y: place === upper ? 12 : 28 }));
}

const mark = (one) =>
  svg(
    "g",
    {},
    svg("line", { class: "level", x1: percent(one.x), x2: percent(one.x), y1: one.y - 8, y2: MARKS_HEIGHT + HEIGHT }),
    svg("text", { class: "mark", x: percent(one.x), dx: one.anchor === "start" ? 5 : -5, y: one.y, "text-anchor": one.anchor }, `${one.name}, ${one.says}`),
  );

const part = (words, place, parts) =>
  svg("rect", { class: "hover", x: percent(place / parts), y: MARKS_HEIGHT, width: percent(1 / parts), height: HEIGHT }, svg("title", {}, words));

const anchorAt = (share) => (share === 0 ? "start" : share === 1 ? "end" : "middle");

const ends = (named) =>
  svg(
    "svg",
    { class: "ticks", height: 16 },
    named.map(([share, name]) => svg("text", { x: percent(share), y: 12, "text-anchor": anchorAt(share) }, name)),
  );

/** Standing bars of several parts, one for each time, and which part is which. */
export function stackedBars(stacks, summary) {
  const width = 1 / stacks.bars.length;
  return el(
    "figure",
    { class: "chart" },
    el("p", { class: "top" }, stacks.top, legend(stacks.parts)),
    svg(
      "svg",
      { class: "standing", height: HEIGHT, role: "img", "aria-label": summary },
      stacks.bars.map((one, place) => stacked(one, place, width)),
    ),
    el("div", { class: "axis", "aria-hidden": "true" }, ticks(stacks.bars, width)),
  );
}

const legend = (names) =>
  el("span", { class: "legend" }, names.map((name, place) => el("span", {}, el("i", { class: `swatch part-${place}` }), name)));

function stacked(one, place, width) {
  let under = 0;
  const parts = one.shares.map((share, number) => {
    under += share;
    const height = share > 0 ? Math.max(share * HEIGHT, 1) : 0;
    return svg("rect", { class: `part-${number}`, x: percent(width * (place + 0.1)), y: HEIGHT * (1 - under), width: percent(width * 0.8), height });
  });
  return svg(
    "g",
    { class: one.so_far ? "stack so-far-stack" : "stack" },
    svg("rect", { class: "hover", x: percent(width * place), width: percent(width), height: HEIGHT }, svg("title", {}, one.says)),
    parts,
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

/** The course of a rate, the newest at the right. */
export function course(rates, summary) {
  const largest = Math.max(...rates, 1);
  const bars = rates.map((rate) => ({ share: rate / largest, says: `${Math.round(rate).toLocaleString("en")} events/s` }));
  return standingBars({ bars, top: `${Math.round(largest).toLocaleString("en")} events/s` }, summary);
}
