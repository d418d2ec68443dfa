// What of a drawing is shown: by kind, agency, therapy class and year, and without what was hidden one by one.
import { swatch } from "./shapes.js";

/** The controls around a drawing that choose what is shown; `changed()` is called when they do. */
export class Filters {
  constructor(root, changed) {
    this.changed = changed;
    this.legend = root.querySelector(".legend");
    this.agency = root.querySelector("#by-agency");
    this.class = root.querySelector("#by-class");
    this.years = root.querySelector(".years");
    [this.from, this.to] = this.years.querySelectorAll("input");
    this.off = new Set();
    this.hidden = new Set();
    this.span = null;
    // On a phone the drawing comes first.
    root.querySelector("details.filters").open = matchMedia("(min-width: 48rem)").matches;
    for (const select of [this.agency, this.class]) select.addEventListener("change", changed);
    for (const [one, other] of [[this.from, this.to], [this.to, this.from]]) {
      one.addEventListener("input", () => {
        if (Number(this.from.value) > Number(this.to.value)) other.value = one.value;
        this.tell();
        changed();
      });
    }
    this.node = (id, facts) => this.nodePasses(id, facts);
    this.edge = (_, { date }) => this.inYears(date);
  }

  /** Take the state from an address; the lists to choose from are filled by `offer`. */
  read(words) {
    this.off = new Set(words.getAll("_off"));
    this.hidden = new Set(words.getAll("_hide"));
    this.wanted = { agency: words.get("_agency") ?? "", class: words.get("_class") ?? "", from: words.get("_from"), to: words.get("_to") };
  }

  /** Put the state into an address. */
  write(words) {
    for (const name of ["_off", "_hide", "_agency", "_class", "_from", "_to"]) words.delete(name);
    for (const kind of this.off) words.append("_off", kind);
    for (const id of this.hidden) words.append("_hide", id);
    if (this.agency.value) words.set("_agency", this.agency.value);
    if (this.class.value) words.set("_class", this.class.value);
    if (this.narrowed) { words.set("_from", this.from.value); words.set("_to", this.to.value); }
  }

  /** Offer what the nodes and edges of a network can be told apart by. */
  offer({ nodes, edges, names }) {
    const kinds = new Map();
    for (const { kind } of nodes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    this.legend.replaceChildren(...[...kinds].sort().map(([kind, count]) => this.chip(kind, count)));
    this.choices(this.agency, nodes.flatMap((node) => node.agencies ?? []), names, this.wanted.agency);
    this.choices(this.class, nodes.flatMap((node) => node.classes ?? []), names, this.wanted.class);
    const years = [...nodes, ...edges].map(({ date }) => Number(date?.slice(0, 4))).filter(Boolean).sort((a, b) => a - b);
    this.years.hidden = years.length < 2 || years[0] === years.at(-1);
    this.span = this.years.hidden ? null : [years[0], years.at(-1)];
    if (this.span) {
      for (const input of [this.from, this.to]) [input.min, input.max] = this.span;
      [this.from.value, this.to.value] = [this.wanted.from ?? this.span[0], this.wanted.to ?? this.span[1]];
      this.tell();
    }
  }

  chip(kind, count) {
    const button = document.createElement("button"), number = document.createElement("span");
    button.type = "button";
    button.className = "kind-shown";
    button.dataset.kind = kind;
    number.className = "help";
    number.textContent = count.toLocaleString("en");
    button.append(swatch(kind), kind, number);
    const press = () => button.setAttribute("aria-pressed", String(!this.off.has(kind)));
    press();
    button.addEventListener("click", () => {
      if (!this.off.delete(kind)) this.off.add(kind);
      press();
      this.changed();
    });
    return button;
  }

  choices(select, ids, names, wanted) {
    const counts = new Map();
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    const sorted = [...counts].sort(([one], [other]) => names[one].localeCompare(names[other], "en"));
    select.replaceChildren(new Option("all", ""), ...sorted.map(([id, count]) => new Option(`${names[id]} (${count})`, id)));
    select.value = counts.has(wanted) ? wanted : "";
    select.closest("p").hidden = counts.size < 2;
  }

  tell() {
    for (const input of [this.from, this.to]) input.nextElementSibling.value = input.value;
  }

  hide(id) { this.hidden.add(id); }

  reveal() { this.hidden.clear(); }

  get narrowed() {
    return this.span !== null && (Number(this.from.value) > this.span[0] || Number(this.to.value) < this.span[1]);
  }

  /** Whether nodes that lose all their edges go as well: they would only say that they do not belong. */
  get joined() { return Boolean(this.agency.value || this.class.value || this.narrowed); }

  nodePasses(id, { kind, agencies, classes, date }) {
    if (this.off.has(kind) || this.hidden.has(id) || !this.inYears(date)) return false;
    const agency = this.agency.value, chosen = this.class.value;
    if (agency && (agencies ? !agencies.includes(agency) : kind === "agency" && id !== agency)) return false;
    return !chosen || !classes || classes.includes(chosen);
  }

  inYears(date) {
    if (!date || !this.narrowed) return true;
    const year = Number(date.slice(0, 4));
    return year >= Number(this.from.value) && year <= Number(this.to.value);
  }
}
