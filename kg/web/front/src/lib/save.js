// What is shown, as files: SVG written from the places, PNG from that SVG, GraphML for network programs.
import { room, short } from "./labels.js";
import { mark } from "./shapes.js";

const SVG = "http://www.w3.org/2000/svg", GRAPHML = "http://graphml.graphdrawing.org/xmlns";
const WIDE = 1600, MARGIN = 70, NAMES = 200, LINE = 26, PIXELS = 2;

/** Save what a drawing shows: `format` is png, svg or graphml. */
export async function save(drawing, format, name, title) {
  const text = format === "graphml" ? graphml(drawing) : svg(drawing, title);
  const types = { svg: "image/svg+xml", graphml: "application/graphml+xml" };
  const blob = format === "png" ? await png(text) : new Blob([text], { type: types[format] });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${name}.${format}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function written(root) {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(root)}\n`;
}

/** Return what is shown as an SVG picture, in the colours of the page. */
function svg(drawing, title) {
  const { graph, theme } = drawing, { nodes, edges } = drawing.shown();
  const places = nodes.map((id) => graph.getNodeAttributes(id));
  const [left, right] = extent(places.map((one) => one.x)), [low, high] = extent(places.map((one) => one.y));
  const scale = (WIDE - MARGIN - NAMES) / Math.max(right - left, (high - low) / 1.4, 1e-9);
  const at = ({ x, y }) => [round(MARGIN + (x - left) * scale), round(MARGIN + (high - y) * scale)];
  const kinds = [...new Set(places.map((one) => one.kind))].sort();
  const tall = Math.round((high - low) * scale + 2 * MARGIN + LINE);

  const make = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const root = make("svg", { viewBox: `0 0 ${WIDE} ${tall}`, width: WIDE, height: tall, "font-family": "system-ui, sans-serif" });
  root.append(make("title", {}, title), make("rect", { width: WIDE, height: tall, fill: theme.paper }));
  const lines = make("g", { stroke: theme.edge, "stroke-width": 1 });
  for (const id of edges) {
    const [[x1, y1], [x2, y2]] = graph.extremities(id).map((end) => at(graph.getNodeAttributes(end)));
    lines.append(make("line", { x1, y1, x2, y2 }));
  }
  const marks = make("g", { stroke: theme.paper, "stroke-width": 0.7 });
  const names = make("g", { "font-size": 12, fill: theme.ink, stroke: theme.paper, "stroke-width": 3, "paint-order": "stroke" });
  const taken = [], pen = document.createElement("canvas").getContext("2d");
  pen.font = "12px system-ui, sans-serif";
  for (const facts of [...places].sort((one, other) => other.size - one.size)) {
    const [x, y] = at(facts), size = facts.size * 0.8;
    marks.append(mark(facts.kind, x, y, size));
    const name = short(facts.label), from = x + size + 3, right = from + pen.measureText(name).width + 2;
    if (room(taken, [from - 2, y - 9, right, y + 7])) names.append(make("text", { x: round(from), y: round(y + 4) }, name));
  }
  const key = make("g", { "font-size": 14, fill: theme.ink });
  let x = MARGIN;
  for (const kind of kinds) {
    key.append(mark(kind, x, tall - LINE, 7), make("text", { x: x + 13, y: tall - LINE + 5 }, kind));
    x += 40 + 9 * kind.length;
  }
  root.append(lines, marks, names, key);
  return written(root);
}

async function png(text) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width * PIXELS, height: image.height * PIXELS });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
}

/** Return what is shown as GraphML: nodes with label, kind and date, edges with label, date and sources. */
function graphml(drawing) {
  const { graph } = drawing, { nodes, edges } = drawing.shown();
  const file = document.implementation.createDocument(GRAPHML, "graphml");
  const make = (parent, name, attributes, text) => {
    const made = file.createElementNS(GRAPHML, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const keys = { node: ["label", "kind", "date"], edge: ["label", "date", "detail", "milestone", "sources"] };
  for (const [owner, names] of Object.entries(keys)) {
    for (const name of names) {
      make(file.documentElement, "key", { id: `${owner}-${name}`, for: owner, "attr.name": name, "attr.type": "string" });
    }
  }
  const inside = make(file.documentElement, "graph", { edgedefault: "directed" });
  const tell = (parent, owner, facts) => {
    for (const name of keys[owner]) if (facts[name]) make(parent, "data", { key: `${owner}-${name}` }, String(facts[name]));
  };
  for (const id of nodes) tell(make(inside, "node", { id }), "node", graph.getNodeAttributes(id));
  edges.forEach((id, index) => {
    const [source, target] = graph.extremities(id);
    tell(make(inside, "edge", { id: `e${index}`, source, target }), "edge", graph.getEdgeAttributes(id));
  });
  return written(file.documentElement);
}

function extent(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function round(value) { return Math.round(value * 10) / 10; }
