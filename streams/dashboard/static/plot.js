// What of a chart is given to uPlot (vendor/uplot): series, scales, axes and what is drawn beside them.
//
// Owns how the forms look on a canvas. Colours are the page's own, read whenever it is drawn, so that they follow the
// theme; sizes are pixels of the page.

const { uPlot } = window;

const HEIGHT = 240;
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const LETTER = 7;
const DASHES = [[], [9, 4], [2, 3], [10, 3, 2, 3]];
const FEW = 31;
/** From this width on, lines have their names at their ends. */
const WIDE = 620;
/** The most of the width that they take; a name that is longer is cut. */
const NAMES_SHARE = 0.3;
const NAMES_GAP = 8;
const MARKS_HEIGHT = 34;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const ratio = () => uPlot.pxRatio;

/** How the line, or the part of a bar, of this number is drawn: in the chart and in its legend. */
export const dashOf = (number) => DASHES[number % DASHES.length];

/** The values as they are drawn: as they are, or each in percent of its own series' largest. */
export function drawnValues(series, relative) {
  if (!relative) return series.values;
  const largest = Math.max(...series.values);
  return series.values.map((value) => (value === null ? null : largest ? (100 * value) / largest : 0));
}

/** uPlot's options and data for a chart at a width; `moved` is called with the place of the cursor, or null. */
export function plot(chart, relative, width, moved) {
  const rows = chart.series.map((one) => drawnValues(one, relative));
  const layers = LAYERS[chart.form](chart, rows);
  const named = chart.form === "lines" && chart.series.length > 1 && width >= WIDE;
  const top = chart.marks ? MARKS_HEIGHT : 8;
  const last = chart.places.length - 1;
  const options = {
    width,
    height: HEIGHT + top,
    padding: [top, named ? Math.min(NAMES_SHARE * width, longest(chart.series) + NAMES_GAP + 4) : 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, move: onAPlace, points: { show: chart.form === "lines" || chart.form === "area" } },
    scales: {
      x: { time: false, range: [-0.5, last + 0.5] },
      y: { range: (_, least, most) => [0, most > 0 ? uPlot.rangeNum(0, most, 0.06, true)[1] : 1] },
    },
    axes: [across(chart, width), upwards(layers)],
    series: [{}, ...layers.map(({ values, ...style }) => style)],
    hooks: {
      drawClear: [(u) => spreads(u, chart.marks ?? [])],
      draw: [(u) => marks(u, chart.marks ?? []), (u) => named && names(u, chart.series)],
      setCursor: [(u) => moved(u.cursor.idx)],
    },
  };
  return [options, [chart.places.map((_, place) => place), ...layers.map((layer) => layer.values)]];
}

const onAPlace = (u, left, top) => [left < 0 ? left : u.valToPos(u.posToIdx(left), "x"), top];

// The layers of each form, in the order in which they are drawn.

const LAYERS = {
  bars: (chart, [values]) => [bars(values, "fill"), ...soFar(chart, values), ...level(chart)],
  stack: (chart, rows) => {
    const sums = rows.map((_, row) => rows[row].map((__, place) => rows.slice(0, row + 1).reduce((sum, one) => sum + one[place], 0)));
    const layers = sums.map((values, row) => bars(values, `part-${row}`)).reverse();
    return [...layers, ...soFar(chart, sums.at(-1))];
  },
  area: (_, [values]) => [
    { values, width: 2, stroke: () => colour("fill"), fill: () => colour("soft"), points: { show: false } },
  ],
  lines: (_, rows) =>
    rows.map((values, row) => ({
      values,
      width: 2.25,
      stroke: () => colour(`line-${row}`),
      dash: dashOf(row),
      points: { show: values.length <= FEW, size: 6, width: 2, fill: () => colour(`line-${row}`) },
    })),
};

function bars(values, name) {
  const paths = uPlot.paths.bars({ size: [0.8, 64], radius: 0.06 });
  return { values, paths, width: 0, fill: () => colour(name), points: { show: false } };
}

/** A veil over the last bar, whose time is not over. */
function soFar(chart, values) {
  if (!chart.so_far) return [];
  const last = values.map((value, place) => (place === values.length - 1 ? value : null));
  return [bars(last, "veil")];
}

function level({ level, places }) {
  if (!level) return [];
  return [{ values: places.map(() => level.value), width: 1.75, stroke: () => colour("level"), dash: [5, 4], points: { show: false } }];
}

// Axes

function across(chart, width) {
  const room = (Math.max(...chart.ticks.map(([, text]) => text.length), 1) + 2) * LETTER;
  const perPlace = (width - 60) / chart.places.length;
  const kept = chart.ticks.reduce((kept, tick) => (kept.length && (tick[0] - kept.at(-1)[0]) * perPlace < room ? kept : [...kept, tick]), []);
  return { ...axis(), size: 26, splits: () => kept.map(([at]) => at), values: () => kept.map(([, text]) => text), grid: { show: false } };
}

function upwards(layers) {
  const whole = layers.every(({ values }) => values.every((value) => Number.isInteger(value ?? 0)));
  const size = (_, texts) => Math.max(...(texts ?? [""]).map((text) => text.length), 1) * LETTER + 16;
  return { ...axis(), size, incrs: increments(whole), space: 34, values: (_, splits) => splits.map((value) => compact.format(value)) };
}

const increments = (whole) =>
  Array.from({ length: 16 }, (_, power) => 10 ** (power - (whole ? 0 : 3))).flatMap((unit) => [unit, 2 * unit, 5 * unit]);

const axis = () => ({
  font: FONT,
  stroke: () => colour("quiet"),
  gap: 6,
  grid: { stroke: () => colour("line"), width: 1 },
  ticks: { stroke: () => colour("line"), width: 1, size: 4 },
});

// What is drawn beside series

/** The parts that stand out, behind the series. */
function spreads(u, found) {
  u.ctx.fillStyle = colour("notice");
  for (const { start, end } of found) {
    const x = u.valToPos(start, "x", true);
    u.ctx.fillRect(x, u.bbox.top, u.valToPos(end, "x", true) - x, u.bbox.height);
  }
}

/** A line and a text for each part that stands out: in two rows, away from each other. */
function marks(u, found) {
  const sorted = found.map((one) => ({ ...one, x: u.valToPos((one.start + one.end) / 2, "x", true) })).sort((a, b) => a.x - b.x);
  const middle = u.bbox.left + u.bbox.width / 2;
  pen(u, colour("level"));
  u.ctx.setLineDash([5 * ratio(), 4 * ratio()]);
  sorted.forEach(({ name, says, x }, row) => {
    const y = (row % 2 === 0 ? 12 : 28) * ratio();
    const toTheLeft = x > middle;
    u.ctx.textAlign = toTheLeft ? "right" : "left";
    u.ctx.fillText(`${name}, ${says}`, x + (toTheLeft ? -5 : 5) * ratio(), y);
    u.ctx.beginPath();
    u.ctx.moveTo(x, y - 8 * ratio());
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
  });
  u.ctx.restore();
}

/** The names of lines at their ends, one below the other where they would meet. */
function names(u, series) {
  const ends = series.map((one, row) => ({ name: one.name, row, place: u.data[row + 1].findLastIndex((value) => value !== null) }));
  const seen = ends.filter(({ place }) => place >= 0);
  const placed = seen.map((one) => ({ ...one, y: u.valToPos(u.data[one.row + 1][one.place], "y", true) })).sort((a, b) => a.y - b.y);
  const step = 15 * ratio();
  placed.forEach((one, at) => { one.y = at ? Math.max(one.y, placed[at - 1].y + step) : one.y; });
  // What was moved out at the bottom moves up again, and what is in its way.
  let lowest = u.bbox.top + u.bbox.height;
  for (const one of placed.toReversed()) {
    one.y = Math.min(one.y, lowest);
    lowest = one.y - step;
  }
  const beside = u.bbox.left + u.bbox.width + NAMES_GAP * ratio();
  const room = u.ctx.canvas.width - beside;
  pen(u, "");
  for (const { name, row, y } of placed) {
    u.ctx.fillStyle = colour(`line-${row}`);
    u.ctx.fillText(cut(u.ctx, name, room), beside, y);
  }
  u.ctx.restore();
}

/** How wide the longest name is. */
function longest(series) {
  const ctx = document.createElement("canvas").getContext("2d");
  ctx.font = FONT;
  return Math.max(...series.map(({ name }) => ctx.measureText(name).width));
}

function cut(ctx, name, width) {
  let letters = [...name];
  if (ctx.measureText(name).width <= width) return name;
  while (letters.length > 1 && ctx.measureText(`${letters.join("")}…`).width > width) letters = letters.slice(0, -1);
  return `${letters.join("").trimEnd()}…`;
}

function pen(u, paint) {
  u.ctx.save();
  u.ctx.font = FONT.replace("12px", `${12 * ratio()}px`);
  u.ctx.textBaseline = "middle";
  u.ctx.textAlign = "left";
  u.ctx.fillStyle = u.ctx.strokeStyle = paint;
  u.ctx.lineWidth = 1.5 * ratio();
}
