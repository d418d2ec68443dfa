// The nodes of a drawing as a list: the way in for the keyboard and for people who do not see the drawing.
import { swatch } from "./shapes.js";

const MOST = 300; // Options at once; the search narrows the rest down.

/** A listbox of the nodes shown, narrowed by the search; `chosen`, `opened` and `left` are called with a node's id. */
export class NodeList {
  constructor(root, calls) {
    Object.assign(this, { calls, all: [], found: [], at: null });
    this.box = root.querySelector(".nodes");
    this.search = root.querySelector("#find");
    this.matches = root.querySelector("#matches");
    this.search.addEventListener("input", () => this.narrow());
    this.search.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter") { event.preventDefault(); this.step(event.shiftKey ? -1 : 1); }
      if (event.key === "ArrowDown") { event.preventDefault(); this.box.focus(); }
    });
    root.querySelector("#next").addEventListener("click", () => this.step(1));
    this.box.addEventListener("click", (event) => this.choose(event.target.closest("li")?.dataset.id));
    this.box.addEventListener("dblclick", () => this.at && calls.opened(this.at));
    this.box.addEventListener("keydown", (event) => this.press(event));
    this.box.addEventListener("focus", () => { if (!this.at && this.found.length) this.choose(this.found[0].id); });
  }

  fill(drawing) {
    this.all = drawing.shown().nodes.map((id) => {
      const { label, kind, names } = drawing.graph.getNodeAttributes(id);
      return { id, label, kind, text: [label, id, ...(names ?? [])].join("\n").toLocaleLowerCase() };
    }).sort((one, other) => one.kind.localeCompare(other.kind, "en") || one.label.localeCompare(other.label, "en"));
    this.narrow();
  }

  narrow() {
    const text = this.search.value.trim().toLocaleLowerCase();
    this.found = this.all.filter((node) => node.text.includes(text));
    const shown = this.found.slice(0, MOST).map((node, index) => {
      const item = document.createElement("li"), kind = document.createElement("span");
      item.id = `node-${index}`;
      item.dataset.id = node.id;
      item.setAttribute("role", "option");
      kind.className = "help";
      kind.textContent = node.kind;
      item.append(swatch(node.kind), node.label, kind);
      return item;
    });
    this.box.replaceChildren(...shown);
    this.mark(this.at);
  }

  /** Mark a node as the one that was chosen. */
  mark(id) {
    this.at = id;
    this.box.removeAttribute("aria-activedescendant");
    for (const item of this.box.children) {
      const on = item.dataset.id === id;
      item.setAttribute("aria-selected", String(on));
      if (!on) continue;
      this.box.setAttribute("aria-activedescendant", item.id);
      // Only the list is scrolled, never the page.
      const { top, bottom } = item.getBoundingClientRect(), box = this.box.getBoundingClientRect();
      if (top < box.top) this.box.scrollTop -= box.top - top;
      else if (bottom > box.bottom) this.box.scrollTop += bottom - box.bottom;
    }
    const place = this.found.findIndex((node) => node.id === id) + 1, count = this.found.length;
    const sought = this.search.value.trim() !== "";
    this.matches.textContent = sought ? (place ? `${place} of ${count}` : `${count} found`) : "";
  }

  choose(id) { if (id) this.calls.chosen(id); }

  step(by) {
    const { found } = this;
    if (!found.length) return;
    const place = found.findIndex((node) => node.id === this.at);
    this.choose(found[place < 0 ? 0 : (place + by + found.length) % found.length].id);
  }

  press(event) {
    const last = Math.min(this.found.length, MOST) - 1, place = this.found.findIndex((node) => node.id === this.at);
    const where = { ArrowDown: Math.min(place + 1, last), ArrowUp: Math.max(place - 1, 0), Home: 0, End: last }[event.key];
    if (where !== undefined) this.choose(this.found[where]?.id);
    else if (event.key === "Enter" && this.at) this.calls.opened(this.at);
    else if (event.key === "Delete" && this.at) this.calls.left(this.at);
    else return;
    event.preventDefault();
  }
}
