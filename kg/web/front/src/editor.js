// The SPARQL page: the editor, its examples and history, and results as table, text and network.
import { button, copy, count, el, save } from "./lib/sparql/dom.js";
import { Code } from "./lib/sparql/code.js";
import { network } from "./lib/sparql/drawn.js";
import { Answer, Refused, ask } from "./lib/sparql/endpoint.js";
import { examples } from "./lib/sparql/examples.js";
import { Names } from "./lib/sparql/names.js";
import { past, remember } from "./lib/sparql/past.js";
import { raw } from "./lib/sparql/raw.js";
import { table } from "./lib/sparql/table.js";

const $ = (id) => document.getElementById(id);
const VIEWS = { Table: table, Raw: raw, Network: network };
const LONGEST = 30; // Seconds; the server takes less where it allows less.
const RETRY = new Set([429, 503]);

const code = new Code($("query"), () => run());
const loading = Names.load();
let running = null, end = () => {}, view = "Table";

function address(query) {
  return `/sparql?${new URLSearchParams({ query })}`;
}

function say(text) {
  $("result").hidden = false;
  $("state").textContent = text;
}

function clear() {
  end();
  end = () => {};
  $("shown").replaceChildren();
}

/** Bring the result into sight, where it is below the screen. */
function reveal() {
  const { top } = $("result").getBoundingClientRect(), still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (top > innerHeight * 0.75) $("result").scrollIntoView({ behavior: still ? "auto" : "smooth" });
}

function busy(controller) {
  running = controller;
  $("cancel").hidden = !controller;
  $("result").setAttribute("aria-busy", String(Boolean(controller)));
}

async function run({ pushed = true, seconds } = {}) {
  const query = code.text;
  if (!query.trim()) { say("Write a query, or open an example."); return; }
  running?.abort();
  const mine = new AbortController();
  busy(mine);
  code.unmark();
  remember(query);
  if (pushed && location.pathname + location.search !== address(query)) history.pushState(null, "", address(query));
  say("Running …");
  try {
    const answer = await ask(query, { signal: mine.signal, seconds });
    if (running !== mine) return;
    await show(answer);
    reveal();
  } catch (error) {
    if (running === mine) refuse(error);
  } finally {
    if (running === mine) busy(null);
  }
}

function refuse(error) {
  clear();
  if (error.name === "AbortError") { say("Cancelled: the server stops the query."); return; }
  say("");
  const said = error instanceof Refused ? error.message : `The server cannot be reached: ${error.message}`;
  const [what, ...where] = said.split("\n\n"), message = el("p", { className: "problem", textContent: what });
  message.setAttribute("role", "alert");
  const again = !(error instanceof Refused) || RETRY.has(error.status) ? [button("Try again", () => run())] : [];
  if (error.status === 503) again.push(button(`Try with up to ${LONGEST} seconds`, () => run({ seconds: LONGEST })));
  const lines = where.length ? el("pre", { tabIndex: 0, textContent: where.join("\n\n") }) : "";
  $("shown").replaceChildren(message, lines, el("p", { className: "bar" }, ...again));
  if (error.line) code.mark(error.line, error.column, what);
}

async function show(answer) {
  const names = await loading;
  clear();
  const found = answer.kind === "truth" ? "" : `${count(answer.rows.length, answer.kind === "graph" ? "triple" : "row")} · `;
  say(`${found}${answer.seconds.toFixed(answer.seconds < 1 ? 3 : 1)} s · release ${answer.release}`);
  const place = el("div", { id: "view" });
  const downloads = el("p", { className: "bar" }, "Download ", ...answer.formats.map(([name, media, suffix]) =>
    button(name, async () => save(`result.${suffix}`, new Blob([await answer.text(media)], { type: media })))));
  if (answer.kind === "truth") {
    $("shown").replaceChildren(el("p", { className: "truth", textContent: answer.truth ? "true" : "false" }), downloads);
    return;
  }
  const tabs = el("div", { className: "tabs" });
  tabs.setAttribute("role", "tablist");
  tabs.setAttribute("aria-label", "Show the result as");
  place.setAttribute("role", "tabpanel");
  const choose = (name, focused) => {
    end();
    view = name;
    for (const tab of tabs.children) {
      const chosen = tab.textContent === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen) place.setAttribute("aria-labelledby", tab.id);
      if (chosen && focused) tab.focus();
    }
    end = VIEWS[name](place, answer, names) ?? (() => {});
  };
  for (const name of Object.keys(VIEWS)) {
    const tab = button(name, () => choose(name), { id: `tab-${name.toLowerCase()}`, className: "tab" });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", place.id);
    tabs.append(tab);
  }
  tabs.addEventListener("keydown", ({ key }) => {
    const all = Object.keys(VIEWS), step = { ArrowRight: 1, ArrowLeft: all.length - 1 }[key];
    if (step) choose(all[(all.indexOf(view) + step) % all.length], true);
  });
  $("shown").replaceChildren(el("div", { className: "tools" }, tabs, downloads), place);
  choose(view);
}

function open(query) {
  code.text = query;
  code.focus();
  run();
}

/** What the server has answered already is not asked again. */
function first() {
  const block = $("given");
  if (!block) { if (code.text.trim()) run({ pushed: false }); return; }
  const { release, results, problem } = JSON.parse(block.textContent);
  if (problem) { refuse(new Refused(problem)); return; }
  const [{ responseEnd = 0, requestStart = 0 } = {}] = performance.getEntriesByType("navigation");
  remember(code.text);
  show(new Answer(code.text, "application/sparql-results+json", JSON.stringify(results), release, (responseEnd - requestStart) / 1000));
}

for (const id of ["declare", "copy-link", "keys"]) $(id).hidden = false;
$("ask").noValidate = true;
$("ask").addEventListener("submit", (event) => { event.preventDefault(); run(); });
$("cancel").addEventListener("click", () => running?.abort());
$("copy-link").addEventListener("click", () => copy(location.origin + address(code.text), $("copy-link")));
$("declare").addEventListener("click", async () => {
  const added = code.declare(await loading);
  say(added.length ? `Declared: ${added.join(", ")}.` : "Every prefix that is used is declared.");
  code.focus();
});
addEventListener("popstate", () => {
  code.text = new URLSearchParams(location.search).get("query") ?? "";
  if (code.text.trim()) run({ pushed: false });
  else { clear(); $("result").hidden = true; }
});
examples(open, say);
past(open);
loading.then((names) => code.know(names));
first();
