// Which page this is, and the one stream of events that it is drawn from.
//
// Owns the way from an event to the page.

import * as board from "./board.js";
import * as compare from "./compare.js";
import { el, show } from "./dom.js";
import * as pipeline from "./pipeline.js";
import * as title from "./title.js";

const PAGES = {
  "/": { stream: "/events/board", page: board },
  "/title": { stream: "/events/title", page: title },
  "/compare": { stream: "/events/compare", page: compare },
  "/pipeline": { stream: "/events/pipeline", page: pipeline },
};
const { stream, page } = PAGES[location.pathname];
const AGAIN_MS = 3000;
const main = document.getElementById("main");
let source;
let newest;
const problems = { redis: "", here: "" };

function draw(data) {
  newest = data;
  document.title = `${page.heading(data)} · Encore`;
  show(main, ...page.view(data));
}

function say(where, problem) {
  problems[where] = problem;
  const says = problems.here || problems.redis;
  const place = document.getElementById("problem");
  place.hidden = !says;
  place.textContent = says;
  document.body.classList.toggle("still", Boolean(says));
}

function listen() {
  source?.close();
  source = new EventSource(stream + location.search);
  source.addEventListener("open", () => say("here", ""));
  source.addEventListener("error", failed);
  source.addEventListener("problem", (event) => say("redis", stands(JSON.parse(event.data))));
  source.addEventListener("page", (event) => draw(JSON.parse(event.data)));
  source.addEventListener("pipeline", (event) => health(JSON.parse(event.data)));
}

const stands = (problem) => problem && `${problem}. What is shown stands still until it answers again.`;

async function failed() {
  say("here", "The dashboard does not answer; trying again.");
  if (source.readyState !== EventSource.CLOSED) return;
  // The browser gives up after an answer that is no stream, and does not tell which.
  const answer = await fetch(stream + location.search, { method: "HEAD" }).catch(() => null);
  if (answer?.status === 400) {
    say("here", "");
    show(main, el("h1", {}, "No such page"), el("p", {}, el("a", { href: "/" }, "All titles")));
  } else setTimeout(listen, AGAIN_MS);
}

function health(data) {
  show(document.getElementById("health"), ...pipeline.line(data));
  if (page === pipeline) draw(data);
}

function ask(metric, day) {
  history.pushState(null, "", `/${board.query(metric, day)}`);
  listen();
}

document.addEventListener("change", ({ target }) => {
  if (target.dataset.action === "metric") ask(target.value, newest.day);
  if (target.dataset.action === "day") ask(newest.metric, target.value);
  if (target.dataset.action === "choose") {
    board.choose(target.dataset.id, target.dataset.name, target.checked);
    draw(newest);
  }
});
addEventListener("popstate", listen);
document.querySelector(".skip").addEventListener("click", () => main.focus());
for (const link of document.querySelectorAll("nav a")) {
  if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
}
listen();
