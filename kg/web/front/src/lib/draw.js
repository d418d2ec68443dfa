// Draws a network by WebGL: sigma with the project's looks, labels, highlights and layout.
import Graph from "graphology";
import Sigma from "sigma";
import { EdgeArrowProgram, EdgeLineProgram, EdgeRectangleProgram } from "sigma/rendering";
import { Arrangement } from "./arrange.js";
import { labels } from "./labels.js";
import { ShapeProgram, look } from "./shapes.js";

const LARGE = 1500; // With more nodes, pointing at one does not dim all others, and edges have no arrows.
const SLOW = 50; // Milliseconds between two frames of a view that moves; after STILL it did not move.
const STILL = 8000;
const GOLDEN = Math.PI * (3 - Math.sqrt(5));
const NEAR = 60; // Up to so many neighbours of a node are named whenever there is room.
const TOLD = 8; // Relations told when one points at a line.
const TIMES = { zoom: 250, move: 400 };

/** Whether the browser can draw at all. */
export function drawable() {
  return Boolean(document.createElement("canvas").getContext("webgl2"));
}

/**
 * Draw a network into an element, and return the `Drawing`.
 *
 * @param container An element that has a size.
 * @param data `{nodes: [{id, label, kind, x?, y?}], edges: [{source, target, label}]}`; more attributes are kept.
 * @param options `label` says what is drawn, to people who do not see it; `names()` what ids of sources are called; `chosen(id or null)` is called when a node
 *   is clicked, `opened(id)` when it is double-clicked, `arranging(running)` when the layout starts or ends.
 */
export function draw(container, data, options = {}) {
  return new Drawing(container, data, options);
}

class Drawing {
  constructor(container, data, options) {
    this.options = options;
    this.graph = new Graph({ multi: true, type: "directed" });
    this.hidden = new Set();
    this.chosen = null;
    this.pointed = null;
    this.near = null;
    this.quiet = matchMedia("(prefers-reduced-motion: reduce)");
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.arrangement = new Arrangement(this.graph, this.quiet.matches, (running) => options.arranging?.(running));
    this.readTheme();
    const writing = labels(() => this.theme);
    this.add(data);
    container.setAttribute("role", "img");
    container.setAttribute("aria-label", options.label ?? "Network");
    this.sigma = new Sigma(this.graph, container, {
      allowInvalidContainer: true,
      defaultDrawNodeHover: writing.hover,
      defaultDrawNodeLabel: writing.label,
      defaultEdgeType: "line",
      defaultNodeType: "shape",
      edgeProgramClasses: { arrow: EdgeArrowProgram, line: EdgeRectangleProgram, hair: EdgeLineProgram },
      edgeReducer: (id, edge) => this.reduceEdge(id, edge),
      enableCameraRotation: false,
      enableEdgeEvents: !this.large, // Finding out which line one points at costs as much as drawing them all again.
      labelDensity: 4,
      labelFont: getComputedStyle(container).fontFamily,
      labelGridCellSize: 60,
      labelRenderedSizeThreshold: 4,
      labelSize: 13,
      maxCameraRatio: 4,
      minCameraRatio: 0.01,
      nodeProgramClasses: { shape: ShapeProgram },
      nodeReducer: (id, node) => this.reduceNode(id, node),
      stagePadding: Math.min(110, container.clientWidth / 6), // Names stand to the right of the nodes.
      zIndex: true,
    });
    this.sigma.on("beforeRender", writing.clear);
    this.listen(container);
    this.spare();
    this.repaint = () => { this.readTheme(); this.sigma.refresh({ skipIndexation: true }); };
    this.dark.addEventListener("change", this.repaint);
    if (data.nodes.some((node) => node.x === undefined)) this.arrangement.start();
  }

  /** Show exactly these nodes and edges: what was there stays where it is, what is new appears beside its neighbours. */
  show(data) {
    const ids = new Set(data.nodes.map((node) => node.id)), edges = new Set(data.edges.map(edgeKey));
    this.arrangement.stop();
    for (const edge of this.graph.edges()) if (!edges.has(edge)) this.graph.dropEdge(edge);
    for (const id of this.graph.nodes()) if (!ids.has(id)) this.graph.dropNode(id);
    if (this.chosen && !this.graph.hasNode(this.chosen)) this.choose(null);
    this.point(null);
    this.add(data);
    this.arrangement.start();
    this.fit();
  }

  add({ nodes, edges }) {
    const { graph } = this, places = this.places(nodes, edges);
    for (const { id, x, y, ...facts } of nodes) {
      graph.mergeNode(id, { ...facts, ...places.get(id), color: look(facts.kind).colour });
    }
    for (const edge of edges) {
      const key = edgeKey(edge), { source, target, ...facts } = edge;
      if (graph.hasNode(source) && graph.hasNode(target) && !graph.hasEdge(key)) {
        graph.addDirectedEdgeWithKey(key, source, target, facts);
      }
    }
    this.large = graph.order > LARGE;
    if (this.large) this.sigma?.setSetting("enableEdgeEvents", false);
    const most = Math.max(1, ...graph.mapNodes((id) => graph.degree(id)));
    const scale = Math.max(0.35, Math.min(1, Math.sqrt(400 / graph.order))); // Many nodes are small, else they are a wall.
    graph.updateEachNodeAttributes((id, facts) => ({ ...facts, size: scale * (5 + 11 * Math.sqrt(graph.degree(id) / most)) }));
  }

  /** Return where new nodes go: as given, or around a neighbour that has a place, or else on a spiral. */
  places(nodes, edges) {
    const { graph } = this, found = new Map(), near = new Map(nodes.map(({ id }) => [id, []]));
    for (const { source, target } of edges) {
      near.get(source)?.push(target);
      near.get(target)?.push(source);
    }
    for (const { id, x, y } of nodes) {
      if (graph.hasNode(id)) found.set(id, { x: graph.getNodeAttribute(id, "x"), y: graph.getNodeAttribute(id, "y") });
      else if (x !== undefined) found.set(id, { x, y: -y }); // Pictures count downwards, sigma upwards.
    }
    const reach = Math.max(1, ...[...found.values()].map(({ x }) => Math.abs(x))) / 8;
    let turn = 0;
    const around = ({ x, y }, far) => {
      turn += 1;
      return { x: x + reach * far * Math.cos(turn * GOLDEN), y: y + reach * far * Math.sin(turn * GOLDEN) };
    };
    const queue = [...found.keys()];
    for (const { id } of nodes) {
      if (!found.has(id)) { found.set(id, found.size ? around({ x: 0, y: 0 }, Math.sqrt(turn + 8)) : { x: 0, y: 0 }); queue.push(id); }
      // The queue grows while it is emptied, so that neighbours of neighbours find their places too.
      while (queue.length) {
        const at = queue.shift();
        for (const other of near.get(at)) {
          if (found.has(other) || !near.has(other)) continue;
          found.set(other, around(found.get(at), 1 + Math.sqrt(turn) / 8));
          queue.push(other);
        }
      }
    }
    return found;
  }

  readTheme() {
    const style = getComputedStyle(document.documentElement);
    const [ink, paper, soft, link] = ["ink", "paper", "soft", "link"].map((name) => style.getPropertyValue(`--${name}`).trim());
    const dark = this.dark.matches;
    this.theme = { ink, paper, soft, link, edge: dark ? "#4d5862" : "#bcc5cc", faint: dark ? "#2b333a" : "#e3e8ec" };
  }

  reduceNode(id, node) {
    if (this.hidden.has(id)) return { ...node, hidden: true };
    if (id === this.chosen) return { ...node, highlighted: true, forceLabel: true, zIndex: 2 };
    if (!this.near) return node;
    if (this.near.has(id)) return { ...node, zIndex: 1, forceLabel: this.near.size < NEAR };
    return this.large ? node : { ...node, color: this.theme.faint, label: "", zIndex: 0 };
  }

  reduceEdge(id, edge) {
    const { graph, theme } = this, focus = this.pointed ?? this.chosen;
    const type = this.large ? "hair" : "arrow";
    if (this.hidden.has(id)) return { type, hidden: true };
    if (focus && graph.hasExtremity(id, focus)) return { type: this.large ? "line" : type, color: theme.link, size: 2, zIndex: 1 };
    return { type, size: 1, zIndex: 0, color: focus && !this.large ? theme.faint : theme.edge };
  }

  /** Highlight a node's neighbours, as long as the pointer or the keyboard is on it. */
  point(id) {
    this.pointed = id;
    this.highlight();
  }

  /** Choose a node, or none; with `move`, bring it into sight. */
  choose(id, move = false) {
    this.chosen = id;
    this.highlight();
    if (id && move) this.bring(id);
    this.options.chosen?.(id);
  }

  /** Move the view to a node that is out of sight or at the margin. */
  bring(id) {
    const { sigma } = this, { x, y } = sigma.graphToViewport(this.graph.getNodeAttributes(id)), { width, height } = sigma.getDimensions();
    if (x > width * 0.1 && x < width * 0.8 && y > height * 0.1 && y < height * 0.9) return;
    const { x: across, y: up } = sigma.getNodeDisplayData(id);
    this.animate({ x: across, y: up });
  }

  highlight() {
    const focus = this.pointed ?? this.chosen;
    this.near = focus && this.graph.hasNode(focus) ? new Set([focus, ...this.graph.neighbors(focus)]) : null;
    this.sigma.refresh({ skipIndexation: true });
  }

  /**
   * Hide what a filter does not let pass.
   *
   * @param node Whether a node passes, by id and attributes. @param edge The same for an edge.
   * @param joined Whether nodes that lose all their edges are hidden as well.
   */
  filter(node, edge, joined = false) {
    const { graph, hidden } = this, alone = new Set();
    hidden.clear();
    graph.forEachNode((id, facts) => {
      if (!node(id, facts)) hidden.add(id);
      else if (joined && graph.degree(id)) alone.add(id);
    });
    graph.forEachEdge((id, facts, source, target) => {
      if (hidden.has(source) || hidden.has(target) || !edge(id, facts)) { hidden.add(id); return; }
      alone.delete(source);
      alone.delete(target);
    });
    for (const id of alone) hidden.add(id);
    if (this.chosen && hidden.has(this.chosen)) this.choose(null);
    this.sigma.refresh();
  }

  /** Keep a node where it is when the others are arranged, or let it go again. */
  pin(id, fixed) { this.graph.setNodeAttribute(id, "fixed", fixed); }

  zoom(factor) { this.animate({ ratio: this.sigma.getCamera().ratio / factor }, TIMES.zoom); }

  /** Show everything. */
  fit() { this.sigma.setCustomBBox(null); this.sigma.refresh(); this.animate({ x: 0.5, y: 0.5, ratio: 1 }); }

  animate(state, duration = TIMES.move) {
    if (this.quiet.matches) this.sigma.getCamera().setState(state);
    else this.sigma.getCamera().animate(state, { duration });
  }

  /** Return the ids of the nodes and the edges that are not hidden. */
  shown() {
    const seen = (id) => !this.hidden.has(id);
    return { nodes: this.graph.nodes().filter(seen), edges: this.graph.edges().filter(seen) };
  }

  listen(container) {
    const { sigma, graph, options } = this, tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    container.append(tip);
    const say = (lines, { x, y }) => {
      tip.replaceChildren(...lines.filter(Boolean).map((line) => Object.assign(document.createElement("div"), { textContent: line })));
      tip.hidden = false;
      const { width, height } = sigma.getDimensions();
      tip.style.left = `${Math.max(0, Math.min(x + 12, width - tip.offsetWidth - 4))}px`;
      tip.style.top = `${y + 16 + tip.offsetHeight > height ? y - tip.offsetHeight - 10 : y + 16}px`;
    };
    const hush = () => { tip.hidden = true; };
    sigma.on("enterNode", ({ node, event }) => {
      const { kind, date, label } = graph.getNodeAttributes(node), degree = graph.degree(node);
      say([label, [kind, date, `${degree} ${degree === 1 ? "relation" : "relations"} here`].filter(Boolean).join(" · ")], event);
      this.point(node);
    });
    sigma.on("leaveNode", () => { hush(); this.point(null); });
    sigma.on("enterEdge", ({ edge, event }) => {
      const [one, other] = graph.extremities(edge), named = options.names?.() ?? {};
      const title = [one, other].map((id) => graph.getNodeAttribute(id, "label")).join(" → ");
      // Lines between the same two nodes lie on each other: all of them are told.
      const all = graph.directedEdges(one, other).filter((id) => !this.hidden.has(id)).map((id) => graph.getEdgeAttributes(id));
      all.sort((a, b) => (a.date ?? "").localeCompare(b.date ?? ""));
      const told = all.slice(0, TOLD).flatMap(({ label, date, detail, sources }) => [
        [date, label, detail].filter(Boolean).join(" · "),
        all.length === 1 && sources && `Sources: ${sources.map((id) => named[id] ?? id).join("; ")}`,
      ]);
      say([title, ...told, all.length > TOLD && `and ${all.length - TOLD} more`], event);
    });
    sigma.on("leaveEdge", hush);
    sigma.on("clickNode", ({ node }) => this.choose(node));
    sigma.on("clickStage", () => this.choose(null));
    sigma.on("doubleClickNode", ({ node, preventSigmaDefault }) => {
      if (options.opened) { preventSigmaDefault(); options.opened(node); }
    });
    this.drag();
  }

  /** On a machine that cannot keep up, leave the edges out as long as the view moves. */
  spare() {
    const camera = this.sigma.getCamera();
    let before = 0, late = 0;
    camera.on("updated", () => requestAnimationFrame((now) => {
      const took = now - before;
      before = now;
      if (took > SLOW && took < STILL) late += 1;
      if (late === 3) this.sigma.setSetting("hideEdgesOnMove", true);
    }));
  }

  /** Let nodes be dragged; one that was stays where it was put. */
  drag() {
    const { sigma } = this;
    let held = null;
    sigma.on("downNode", ({ node }) => { held = node; });
    sigma.on("moveBody", ({ event }) => {
      if (!held) return;
      // Else the whole view would follow the node.
      if (!sigma.getCustomBBox()) sigma.setCustomBBox(sigma.getBBox());
      this.graph.mergeNodeAttributes(held, { ...sigma.viewportToGraph(event), fixed: true });
      event.preventSigmaDefault();
      event.original.preventDefault();
    });
    const drop = () => { held = null; };
    sigma.on("upNode", drop);
    sigma.on("upStage", drop);
  }

  kill() {
    this.arrangement.stop();
    this.dark.removeEventListener("change", this.repaint);
    this.sigma.kill();
  }
}

function edgeKey({ source, target, label, date, milestone }) {
  return [source, target, label, date, milestone].join("\t");
}
