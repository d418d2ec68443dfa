// The page of a network: a library's, with places from the server, or an exploration that grows as one expands nodes.
// What is shown is in the address: `thing`, `expand` and `show` are the server's, those with `_` filter the drawing.
import { draw, drawable } from "./lib/draw.js";
import { Filters } from "./lib/filters.js";
import { NodeList } from "./lib/list.js";
import { panel } from "./lib/panel.js";
import { save } from "./lib/save.js";
import { adding } from "./lib/adding.js";

const root = document.getElementById("drawing");
const MOST = 5000;

class Page {
  constructor() {
    this.explores = "explores" in root.dataset;
    this.drawing = null;
    this.data = { nodes: [], edges: [], names: {}, expanded: {} };
    this.filters = new Filters(root, () => this.filter());
    this.list = new NodeList(root, {
      chosen: (id) => this.drawing.choose(id, true),
      opened: (id) => this.open(id),
      left: (id) => this.hide(id),
    });
    this.status = root.querySelector("#status");
    root.querySelector("#closer").addEventListener("click", () => this.drawing.zoom(1.5));
    root.querySelector("#farther").addEventListener("click", () => this.drawing.zoom(1 / 1.5));
    root.querySelector("#fit").addEventListener("click", () => this.drawing.fit());
    this.arrange = root.querySelector("#arrange");
    this.arrange.addEventListener("click", () => this.drawing.arrangement.toggle());
    for (const button of root.querySelectorAll("[data-save]")) {
      button.addEventListener("click", () => save(this.drawing, button.dataset.save, root.dataset.name, root.getAttribute("aria-label")));
    }
    if (this.explores) {
      adding(document.getElementById("add"), (id) => this.go((words) => words.append("thing", id)));
      for (const box of root.querySelectorAll("input[name=show]")) {
        box.addEventListener("change", () => this.go((words) => {
          words.delete("show", box.value);
          if (box.checked) words.append("show", box.value);
        }));
      }
    }
    addEventListener("popstate", () => this.load());
    this.load();
  }

  get words() { return new URLSearchParams(location.search); }

  /** Change the address and load what it says now. */
  go(change) {
    const words = this.words;
    change(words);
    words.delete("find");
    history.pushState(null, "", address(words));
    return this.load();
  }

  async load() {
    const words = this.words;
    this.filters.read(words);
    for (const box of root.querySelectorAll("input[name=show]")) box.checked = words.has("show", box.value);
    if (this.explores && !words.has("thing") && !words.has("expand")) {
      this.turn = null;
      if (this.drawing) this.draw({ nodes: [], edges: [], names: {}, expanded: {} });
      this.uncover(false);
      return;
    }
    const turn = this.turn = Symbol("turn");
    root.dataset.settled = "false";
    const response = await fetch(this.explores ? `${root.dataset.from}?${served(words)}` : root.dataset.from).catch(() => null);
    const told = await (response?.ok ? response.json() : response?.text())?.catch(() => null);
    if (turn !== this.turn) return; // One has gone on, or back, while this was on its way.
    if (!response?.ok || !told) {
      this.status.textContent = !response?.ok && told || "The server does not answer; try again.";
      root.hidden = false;
      root.dataset.settled = "true";
      return;
    }
    this.draw(told);
  }

  draw(data) {
    const fresh = this.drawing === null;
    const before = new Set(this.data.nodes.map((node) => node.id));
    this.data = data;
    this.uncover(true);
    if (fresh) {
      this.drawing = draw(root.querySelector(".canvas"), data, {
        label: root.getAttribute("aria-label"),
        names: () => this.data.names,
        chosen: (id) => this.show(id),
        opened: (id) => this.open(id),
        arranging: (running) => {
          this.arrange.setAttribute("aria-pressed", String(running));
          root.dataset.settled = String(!running);
        },
      });
    } else this.drawing.show(data);
    root.dataset.settled = String(!this.drawing.arrangement.running);
    this.filters.offer(data);
    this.filter();
    const at = this.words.get("_at");
    if (fresh && at && this.drawing.graph.hasNode(at)) this.drawing.choose(at);
    const added = data.nodes.filter((node) => !before.delete(node.id)).length, gone = before.size;
    this.say([
      !fresh && added && `${added.toLocaleString("en")} added`,
      gone && `${gone.toLocaleString("en")} taken away`,
      data.unknown?.length && `not in the graph: ${data.unknown.join(", ")}`,
    ].filter(Boolean).join("; "));
  }

  /** Show the drawing in place of what the page has to start from, or the other way round. */
  uncover(drawn) {
    root.hidden = !drawn;
    for (const id of ["lists", "hits", "examples"]) document.getElementById(id)?.toggleAttribute("hidden", drawn);
  }

  filter() {
    const words = this.words;
    this.filters.write(words);
    history.replaceState(null, "", address(words));
    if (!this.drawing) return;
    this.drawing.filter(this.filters.node, this.filters.edge, this.filters.joined);
    this.list.fill(this.drawing);
    this.say();
  }

  say(more = "") {
    const { nodes, edges } = this.drawing.shown(), all = this.drawing.graph.order;
    const parts = [`${nodes.length.toLocaleString("en")} nodes and ${edges.length.toLocaleString("en")} relations are shown`];
    if (all > nodes.length) parts.push(`${(all - nodes.length).toLocaleString("en")} nodes are filtered out or hidden`);
    if (all >= MOST) parts.push(`a drawing holds no more than ${MOST.toLocaleString("en")} nodes`);
    if (more) parts.push(more);
    this.status.textContent = `${parts.join("; ")}.`;
  }

  /** What a double click or Enter does: expand a node, or in a library's network go where it can be expanded. */
  open(id) {
    if (!this.explores) { location.assign(`/explore?thing=${id}`); return; }
    if (this.data.expanded[id]) this.say("this one is expanded");
    else this.expand(id);
  }

  async expand(id, step = id) {
    await this.go((words) => {
      const prefix = step === id ? id : step.slice(0, step.lastIndexOf("~"));
      for (const old of words.getAll("expand")) if (old === prefix || old.startsWith(`${prefix}~`) && step !== id) words.delete("expand", old);
      words.append("expand", step);
    });
    if (this.drawing.graph.hasNode(id)) this.drawing.choose(id);
  }

  hide(id) {
    this.filters.hide(id);
    this.drawing.choose(null);
    this.filter();
  }

  show(id) {
    const words = this.words;
    if (id) words.set("_at", id); else words.delete("_at");
    history.replaceState(null, "", address(words));
    this.list.mark(id);
    panel(root.querySelector(".chosen"), this, id);
  }
}

function address(words) {
  const text = String(words).replaceAll("%3A", ":").replaceAll("%7E", "~");
  return location.pathname + (text ? `?${text}` : "");
}

/** The part of the address that the server answers to. */
function served(words) {
  const kept = [...words].filter(([name]) => ["thing", "expand", "show"].includes(name));
  return new URLSearchParams(kept);
}

if (root) {
  if (drawable()) new Page();
  else if (root.dataset.picture) {
    const picture = new Image();
    picture.src = root.dataset.picture;
    picture.alt = root.getAttribute("aria-label");
    const frame = document.createElement("p");
    frame.className = "picture";
    frame.append(picture);
    root.before(frame);
  }
}
