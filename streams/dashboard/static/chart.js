// A chart on the page: its legend, the drawing, and the values at the cursor, by mouse, touch, keyboard and as a table.
//
// Owns the element that draws itself, `encore-chart`; what it draws is in `plot.js`.

import { control, el, svg } from "./dom.js";
import { dashOf, drawnValues, plot } from "./plot.js";

/** A chart with its legend and axes; `relative`: each series in percent of its own largest value. */
export function chart(data, relative = false) {
  const unit = relative ? "% of each title's own largest" : data.unit;
  const label = `${data.title}, in ${unit}. ${data.series.map((one) => atMost(one, data.places)).join("; ")}.`;
  const attributes = { role: "application", "aria-roledescription": "chart", "aria-label": label, tabindex: "0" };
  return el(
    "figure",
    { class: "chart" },
    el("p", { class: "top" }, el("span", { class: "unit" }, unit), legend(data)),
    control("encore-chart", attributes, { shown: { data, relative } }),
    data.left_out ? el("p", { class: "quiet" }, data.left_out) : null,
    data.notes ? el("dl", { class: "notes" }, data.notes.map(([name, words]) => el("div", {}, el("dt", {}, name), el("dd", {}, words)))) : null,
  );
}

function atMost({ name, values, says }, places) {
  const place = values.indexOf(Math.max(...values.filter((value) => value !== null)));
  return place < 0 ? `${name}: nothing` : `${name}: at most ${says[place]}, ${places[place]}`;
}

function legend({ form, series, level }) {
  const several = series.length > 1 ? series.map((one, number) => el("span", {}, swatch(form, number), el("bdi", {}, one.name), isEmpty(one) ? " (nothing to show)" : null)) : [];
  const line = level ? el("span", {}, sample("level", [5, 4]), `${level.name}, ${level.says}`) : null;
  return several.length || line ? el("span", { class: "legend" }, several, line) : null;
}

const isEmpty = ({ values }) => values.every((value) => value === null);

const swatch = (form, number) => (form === "lines" ? sample(`line-${number}`, dashOf(number)) : el("i", { class: `swatch part-${number}` }));

const sample = (name, dash) =>
  svg("svg", { class: `sample ${name}`, "aria-hidden": "true" }, svg("line", { x1: 0, x2: 28, y1: 5, y2: 5, "stroke-dasharray": dash.join(" ") || null }));

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

class EncoreChart extends HTMLElement {
  // `dom.js` leaves its children to it.
  drawsItself = true;
  #shown = null;
  #said = "";
  #plot = null;
  #place = null;
  #width = 0;
  #sizes = new ResizeObserver(() => this.#resize());
  #canvas = el("div", { class: "canvas", "aria-hidden": "true" });
  #values = el("output", { class: "values" });
  #hint = el("p", { class: "hint", "aria-hidden": "true" });
  #table = el("details", { class: "as-table" }, el("summary", {}, "Values as a table"), el("div", { class: "wide" }));

  get shown() {
    return this.#shown;
  }

  set shown(next) {
    const said = JSON.stringify(next);
    if (said === this.#said) return;
    if (next.data.title !== this.#shown?.data.title) this.#place = null;
    [this.#shown, this.#said] = [next, said];
    if (this.isConnected) this.draw();
  }

  connectedCallback() {
    this.replaceChildren(this.#canvas, this.#hint, this.#values, this.#table);
    this.#canvas.onpointerdown = this.#canvas.onpointermove = (event) => this.#touch(event);
    this.onkeydown = (event) => this.#key(event);
    this.#table.ontoggle = () => this.#fill();
    this.#sizes.observe(this);
    this.draw();
  }

  disconnectedCallback() {
    this.#sizes.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** Draw anew what is shown, with the cursor where it is. */
  draw() {
    this.#width = this.#canvas.clientWidth;
    if (!this.#width) return;
    const place = this.#place;
    const { data, relative } = this.#shown;
    this.#hint.textContent = `${data.across} · point, tap, or use the arrow keys to read a value`;
    this.#plot?.destroy();
    this.#plot = new window.uPlot(...plot(data, relative, this.#width, (found) => this.#move(found)), this.#canvas);
    // A value that changes under the cursor is shown; it is spoken only when the reader moves.
    this.#values.setAttribute("aria-live", "off");
    // uPlot has drawn by then.
    if (place !== null) queueMicrotask(() => this.#plot && this.#go(Math.min(place, data.places.length - 1)));
    this.#fill();
  }

  #resize() {
    if (this.#canvas.clientWidth !== this.#width) this.draw();
  }

  #touch({ pointerType, clientX }) {
    if (pointerType === "mouse") return;
    const { left } = this.#plot.over.getBoundingClientRect();
    this.#go(this.#plot.posToIdx(clientX - left));
  }

  #key(event) {
    if (event.target !== this || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") this.#plot.setCursor({ left: -10, top: -10 });
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    const [step, last] = [STEPS[event.key], this.#shown.data.places.length - 1];
    const from = this.#place ?? (step > 0 ? -1 : last + 1);
    this.#values.setAttribute("aria-live", "polite");
    this.#go(step === Infinity ? last : step === -Infinity ? 0 : Math.min(last, Math.max(0, from + step)));
  }

  #go(place) {
    const u = this.#plot;
    u.setCursor({ left: u.valToPos(place, "x"), top: u.over.clientHeight / 2 });
  }

  #move(place) {
    this.#place = place ?? null;
    this.#values.replaceChildren(...(this.#place === null ? [] : this.#says(place)));
  }

  #says(place) {
    const { data, relative } = this.#shown;
    const several = data.series.length > 1;
    const values = data.series.map((series, number) => {
      const named = several ? [swatch(data.form, number), el("bdi", {}, series.name), " "] : [];
      return el("span", {}, ...named, el("b", {}, told(series, place, relative)));
    });
    return [el("span", { class: "place" }, data.places[place]), ...values];
  }

  #fill() {
    const table = this.#table.lastChild;
    if (!this.#table.open) {
      table.replaceChildren();
      return;
    }
    const { data, relative } = this.#shown;
    const heads = ["", ...data.series.map((series) => series.name)].map((name) => el("th", { scope: "col" }, name));
    const rows = data.places.map((name, place) =>
      el("tr", {}, el("th", { scope: "row" }, name), data.series.map((series) => el("td", {}, told(series, place, relative)))),
    );
    table.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows)));
  }
}

function told(series, place, relative) {
  if (series.values[place] === null) return "–";
  return relative ? `${Math.round(drawnValues(series, true)[place])}% (${series.says[place]})` : series.says[place];
}

customElements.define("encore-chart", EncoreChart);

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const one of document.querySelectorAll("encore-chart")) one.draw();
});
