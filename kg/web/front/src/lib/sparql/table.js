// A result as a table that sorts, filters and pages; what is a thing links to its page.
import { button, count, el } from "./dom.js";

const PAGE = 100;
const MANY = 3000; // With more things than this, their ids are sorted and searched, not their labels.
const NUMBERS = /#(?:integer|decimal|double|float|int|long|short|nonNegativeInteger|gYear)$/;

/** Show rows in an element. */
export function table(into, { columns, rows }, names) {
  const state = { sort: null, down: false, find: "", page: 0, rows };
  const things = new Set(iris(rows)), labelled = things.size <= MANY;
  let learning = null;
  const numeric = new Set(columns.filter((name) => rows.slice(0, PAGE).some((row) => row[name]) &&
    rows.slice(0, PAGE).every((row) => !row[name] || NUMBERS.test(row[name].datatype ?? ""))));
  const find = el("input", { type: "search", id: "find" });
  const status = el("span", { className: "help" }), pages = el("nav", { className: "pages" });
  pages.setAttribute("aria-label", "Pages of the table");
  const heads = new Map(columns.map((name) => [name, button(name, () => turn(name), { className: "head" })]));
  const cells = columns.map((name) => {
    const head = el("th", { scope: "col", className: numeric.has(name) ? "n" : "" }, heads.get(name));
    head.setAttribute("aria-sort", "none");
    return head;
  });
  const body = el("tbody"), scroll = el("div", { className: "scroll", tabIndex: 0 },
    el("table", {}, el("thead", {}, el("tr", {}, ...cells)), body));
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Result");
  const above = el("div", { className: "tools" });
  if (rows.length > 10) {
    above.append(el("p", {}, el("label", { htmlFor: "find", textContent: "Within the table " }), find), status);
    find.addEventListener("input", () => { state.find = find.value.trim().toLowerCase(); state.page = 0; arrange(); });
  }
  into.replaceChildren(above, scroll, pages);
  arrange();

  function turn(name) {
    state.down = state.sort === name && !state.down;
    Object.assign(state, { sort: name, page: 0 });
    columns.forEach((column, place) => {
      const sorted = column === name;
      cells[place].setAttribute("aria-sort", sorted ? (state.down ? "descending" : "ascending") : "none");
      heads.get(column).textContent = column + (sorted ? (state.down ? " ▼" : " ▲") : "");
    });
    arrange();
  }

  async function arrange() {
    // Labels come a page at a time, until rows of other pages are to be compared.
    if (labelled && (state.find || state.sort)) await (learning ??= names.learn(things));
    state.rows = state.find ? rows.filter((row) => columns.some((name) => words(row[name]).toLowerCase().includes(state.find))) : [...rows];
    if (state.sort) {
      const key = keys(state.sort, numeric.has(state.sort)), sign = state.down ? -1 : 1;
      const filled = state.rows.filter((row) => row[state.sort]).map((row) => [key(row), row]);
      filled.sort(([one], [other]) => (one < other ? -sign : one > other ? sign : 0));
      // What has no value stands last, whichever way the others go.
      state.rows = [...filled.map(([, row]) => row), ...state.rows.filter((row) => !row[state.sort])];
    }
    show();
  }

  function keys(name, number) {
    return number ? (row) => Number(row[name].value) : (row) => shown(row[name]).toLowerCase();
  }

  function words(term) {
    return term ? `${shown(term)} ${term.type === "uri" ? names.compact(term.value) : ""}` : "";
  }

  function shown(term) {
    return term.type === "uri" ? (labelled && names.label(term.value)) || names.compact(term.value) : text(term);
  }

  async function show() {
    const last = Math.max(0, Math.ceil(state.rows.length / PAGE) - 1);
    state.page = Math.max(0, Math.min(state.page, last));
    const some = state.rows.slice(state.page * PAGE, (state.page + 1) * PAGE);
    status.textContent = state.find ? `${count(state.rows.length, "row")} of ${rows.length.toLocaleString("en")}` : "";
    pages.replaceChildren(...(last ? [
      button("Previous", () => go(-1), { disabled: state.page === 0 }),
      el("span", { textContent: `Page ${(state.page + 1).toLocaleString("en")} of ${(last + 1).toLocaleString("en")}` }),
      button("Next", () => go(1), { disabled: state.page === last }),
    ] : []));
    fill(some);
    await names.learn(iris(some));
    if (into.contains(scroll) && state.rows[state.page * PAGE] === some[0]) fill(some);
  }

  function fill(some) {
    body.replaceChildren(...some.map((row) => el("tr", {}, ...columns.map((name) =>
      el("td", { className: numeric.has(name) ? "n" : "" }, ...cell(row[name], names))))));
  }

  function go(step) {
    state.page += step;
    show();
    scroll.scrollTop = 0;
    scroll.focus();
  }
}

function iris(rows) {
  return rows.flatMap((row) => Object.values(row)).filter((term) => term.type === "uri").map((term) => term.value);
}

/** Return the content of a cell: a thing as its label with its id beside, a literal with its language. */
function cell(term, names) {
  if (!term) return [];
  if (term.type !== "uri") {
    const language = term["xml:lang"];
    const value = el("span", { textContent: text(term), title: language ? "" : names.compact(term.datatype ?? "") });
    if (language) value.lang = language;
    return [value, language && language !== "en" ? el("small", { textContent: ` @${language}` }) : ""];
  }
  const id = names.compact(term.value), label = names.label(term.value), href = names.href(term.value);
  const link = el(href ? "a" : "span", { textContent: label || id, title: term.value });
  if (href) link.href = href;
  if (href && !href.startsWith("/")) link.rel = "noopener external";
  return [link, label && label !== id ? el("small", { textContent: ` ${id}` }) : ""];
}

/** Return a literal or blank node as text. */
function text(term) {
  if (term.type === "bnode") return `_:${term.value}`;
  return typeof term.value === "string" ? term.value : JSON.stringify(term.value);
}
