// Which page this is, and the one stream of events that it is drawn from.
//
// Owns the way from an event to the page, and from what is chosen to the address, which holds all of it.

import * as board from "./board.js";
import * as compare from "./compare.js";
import { el, show } from "./dom.js";
import * as franchise from "./franchise.js";
import { chosenBy } from "./parts.js";
import * as pipeline from "./pipeline.js";
import * as title from "./title.js";

const PAGES = {
  "/": { stream: "/events/board", page: board },
  "/franchises": { stream: "/events/franchises", page: board },
  "/title": { stream: "/events/title", page: title },
  "/franchise": { stream: "/events/franchise", page: franchise },
  "/compare": { stream: "/events/compare", page: compare },
  "/pipeline": { stream: "/events/pipeline", page: pipeline },
};
const { stream, page } = PAGES[location.pathname];
const AGAIN_MS = 3000;
const TYPED_MS = 250;
const main = document.getElementById("main");
let source;
let newest;
let typed;
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

const stands = (problem) =>
  problem && `${problem}. ${newest ? "What is shown is from before" : "There is nothing to show yet"}; this page goes on by itself.`;

async function failed() {
  say("here", "The dashboard does not answer; trying again.");
  if (source.readyState !== EventSource.CLOSED) return;
  // The browser gives up after an answer that is no stream, and does not tell which.
  const answer = await fetch(stream + location.search).catch(() => null);
  const says = answer?.status === 400 ? await answer.text() : answer?.body?.cancel();
  if (answer?.status === 400) {
    say("here", "");
    show(main, el("h1", {}, "No such page"), el("p", { class: "notice" }, says), el("p", {}, el("a", { href: "/" }, "All titles")));
  } else setTimeout(listen, AGAIN_MS);
}

function health(data) {
  show(document.getElementById("health"), ...pipeline.line(data));
  if (page === pipeline) draw(data);
}

/** Put what was chosen into the address, and ask for it. Another choice begins at its first page. */
function ask(chosen, remember = true) {
  history[remember ? "pushState" : "replaceState"](null, "", chosenBy({ page: "", ...chosen }));
  listen();
}

document.addEventListener("change", ({ target }) => {
  const { action, name } = target.dataset;
  if (action === "ask" && target.type !== "search" && target.checkValidity()) {
    ask({ [name]: target.value });
  }
  if (action === "relative") {
    history.replaceState(null, "", chosenBy({ relative: target.checked ? "yes" : "" }));
    draw(newest);
  }
  if (action === "choose") {
    board.choose(target.dataset.id, target.checked);
    draw(newest);
  }
});
document.addEventListener("input", ({ target }) => {
  if (target.type !== "search") return;
  clearTimeout(typed);
  typed = setTimeout(() => {
    ask({ [target.dataset.name]: target.value.trim() }, false);
  }, TYPED_MS);
});
addEventListener("popstate", () => {
  document.activeElement?.blur();
  listen();
});
document.querySelector(".skip").addEventListener("click", () => main.focus());
for (const link of document.querySelectorAll("nav a")) {
  if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
}
listen();
