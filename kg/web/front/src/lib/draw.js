// Draws a network by WebGL: sigma with the project's looks, labels, highlights and layout.
import Graph from "graphology";
import Sigma from "sigma";
import { EdgeArrowProgram, EdgeRectangleProgram } from "sigma/rendering";
import { Arrangement } from "./arrange.js";
import { labels } from "./labels.js";
import { ShapeProgram, look } from "./shapes.js";

const LARGE = 1500; // With more nodes, pointing at one does not dim all others, and edges have no arrows.
const GOLDEN = Math.PI * (3 - Math.sqrt(5));
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
 * @param options `label` says what is drawn, to people who do not see it; `chosen(id or null)` is called when a node
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
      edgeProgramClasses: { arrow: EdgeArrowProgram, line: EdgeRectangleProgram },
      edgeReducer: (id, edge) => this.reduceEdge(id, edge),
      enableCameraRotation: false,
      enableEdgeEvents: true,
      labelDensity: 4,
      labelFont: getComputedStyle(container).fontFamily,
      labelGridCellSize: 60,
      labelRenderedSizeThreshold: 4,
      labelSize: 13,
      maxCameraRatio: 4,
      minCameraRatio: 0.01,
      nodeProgramClasses: { shape: ShapeProgram },
      nodeReducer: (id, node) => this.reduceNode(id, node),
      stagePadding: 40,
      zIndex: true,
    });
    this.sigma.on("beforeRender", writing.clear);
    this.listen(container);
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
  }

  add({ nodes, edges }) {
    const { graph } = this;
    for (const { id, x, y, ...facts } of nodes) {
      const attributes = { ...facts, color: look(facts.kind).colour };
      if (x !== undefined) Object.assign(attributes, { x, y: -y }); // Pictures count downwards, sigma upwards.
      graph.mergeNode(id, attributes);
    }
    for (const edge of edges) {
      const key = edgeKey(edge), { source, target, ...facts } = edge;
      if (graph.hasNode(source) && graph.hasNode(target) && !graph.hasEdge(key)) {
        graph.addDirectedEdgeWithKey(key, source, target, facts);
      }
    }
    this.large = graph.order > LARGE;
    this.place();
    const most = Math.max(1, ...graph.mapNodes((id) => graph.degree(id)));
    graph.updateEachNodeAttributes((id, facts) => ({ ...facts, size: 5 + 11 * Math.sqrt(graph.degree(id) / most) }));
  }

  /** Give a place to every node that has none: around a neighbour that has one, or on a spiral. */
  place() {
    const { graph } = this;
    const placed = graph.filterNodes((_, facts) => facts.x !== undefined);
    const reach = Math.max(1, ...placed.map((id) => Math.abs(graph.getNodeAttribute(id, "x")))) / 8;
    let turn = 0;
    const queue = placed.length ? placed : graph.nodes().slice(0, 1);
    for (const id of queue) graph.updateNode(id, (facts) => ({ x: 0, y: 0, ...facts }));
    // The queue grows while it is read, so that neighbours of neighbours find their places too.
    for (const id of queue) {
      const { x, y } = graph.getNodeAttributes(id);
      graph.forEachNeighbor(id, (other, facts) => {
        if (facts.x !== undefined) return;
        turn += 1;
        const radius = reach * (1 + Math.sqrt(turn) / 8);
        graph.mergeNodeAttributes(other, { x: x + radius * Math.cos(turn * GOLDEN), y: y + radius * Math.sin(turn * GOLDEN) });
        queue.push(other);
      });
    }
    graph.forEachNode((id, facts) => {
      if (facts.x !== undefined) return;
      turn += 1;
      const radius = reach * Math.sqrt(turn + 8);
      graph.mergeNodeAttributes(id, { x: radius * Math.cos(turn * GOLDEN), y: radius * Math.sin(turn * GOLDEN) });
    });
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
    if (this.near.has(id)) return { ...node, zIndex: 1, forceLabel: this.near.size < 30 };
    return this.large ? node : { ...node, color: this.theme.faint, label: "", zIndex: 0 };
  }

  reduceEdge(id, edge) {
    const { graph, theme } = this, focus = this.pointed ?? this.chosen;
    const type = this.large ? "line" : "arrow";
    if (this.hidden.has(id)) return { type, hidden: true };
    if (focus && graph.hasExtremity(id, focus)) return { type, color: theme.link, size: 2, zIndex: 1 };
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
    if (id && move) {
      const { x, y } = this.sigma.getNodeDisplayData(id), camera = this.sigma.getCamera();
      this.animate({ x, y, ratio: Math.min(camera.ratio, 0.6) });
    }
    this.options.chosen?.(id);
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
      const { label, date, detail, sources } = graph.getEdgeAttributes(edge);
      const [one, other] = graph.extremities(edge).map((id) => graph.getNodeAttribute(id, "label"));
      say([`${one} → ${other}`, [label, date, detail].filter(Boolean).join(" · "), sources && `Sources: ${sources}`], event);
    });
    sigma.on("leaveEdge", hush);
    sigma.on("clickNode", ({ node }) => this.choose(node));
    sigma.on("clickStage", () => this.choose(null));
    sigma.on("doubleClickNode", ({ node, preventSigmaDefault }) => {
      if (options.opened) { preventSigmaDefault(); options.opened(node); }
    });
    this.drag();
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

function edgeKey({ source, target, label, date }) {
  return [source, target, label, date ?? ""].join("\t");
}
