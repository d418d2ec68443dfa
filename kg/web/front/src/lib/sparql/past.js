// A person's last queries, kept in this browser only.
import { button, el } from "./dom.js";

const KEY = "sparql-queries", MOST = 20;

/** Return the queries, newest first. */
function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one?.text === "string").slice(0, MOST) : [];
  } catch { return []; }
}

function write(queries) {
  try { localStorage.setItem(KEY, JSON.stringify(queries)); } catch { /* A browser that keeps nothing loses nothing here. */ }
}

/** Keep a query as the newest. */
export function remember(text) {
  write([{ text, when: new Date().toISOString() }, ...read().filter((one) => one.text !== text)].slice(0, MOST));
  list();
}

/** Show the queries in their place, each to be opened. */
export function past(open) {
  opened = open;
  document.getElementById("forget").addEventListener("click", () => { write([]); list(); });
  list();
}

let opened = () => {};

function list() {
  const queries = read(), place = document.getElementById("history");
  place.hidden = queries.length === 0;
  place.querySelector("ol").replaceChildren(...queries.map(({ text, when }) => el("li", {},
    button(title(text), () => opened(text), { className: "link", title: text }),
    el("time", { dateTime: when, textContent: new Date(when).toLocaleString([], { dateStyle: "short", timeStyle: "short" }) }))));
}

/** What tells a query from others: its first comment, or else its first line that is no declaration. */
function title(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line && !/^(PREFIX|BASE)\b/i.test(line));
  return (lines[0] ?? text).replace(/^#+\s*/, "").slice(0, 120);
}
