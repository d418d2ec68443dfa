// A result as a network: triples are edges, and so are rows of a thing, a property and a thing; of other rows, what stands
// in the first column of things leads to the others.
import { draw, drawable } from "../draw.js";
import { look, swatch } from "../shapes.js";
import { button, count, el } from "./dom.js";

const MOST = 2000; // Nodes; more are no picture any more.
const LONG = 50; // Letters of a name that is written into a drawing.
const PLAIN = /^(?:rdf:type|rdfs:label)$/;

/** Return the nodes and edges of a result, by IRI. */
export function edges({ kind, columns, rows }, names) {
  const nodes = new Set(), found = [];
  let left = 0;
  const link = (source, target, label) => {
    const more = [source, target].filter((iri) => !nodes.has(iri)).length;
    if (nodes.size + more > MOST) { left += 1; return; }
    nodes.add(source).add(target);
    found.push({ source, target, label });
  };
  for (const row of rows) {
    if (kind === "graph") {
      const { subject, predicate, object } = row, label = names.compact(predicate.value);
      if (object.type !== "literal" && !PLAIN.test(label)) link(subject.value, object.value, names.label(predicate.value) || label);
      continue;
    }
    const things = columns.filter((name) => row[name]?.type === "uri");
    const middle = things.length === 3 && names.label(row[things[1]].value);
    if (middle && names.properties.has(row[things[1]].value)) link(row[things[0]].value, row[things[2]].value, middle);
    else for (const other of things.slice(1)) link(row[things[0]].value, row[other].value, other);
  }
  return { nodes: [...nodes], edges: found, left };
}

function short(name) {
  return name.length > LONG ? `${name.slice(0, LONG)}…` : name;
}

/** Draw a result in an element; returns what ends the drawing. */
export function network(into, answer, names) {
  const found = edges(answer, names);
  if (!found.edges.length) {
    into.replaceChildren(el("p", { textContent: answer.kind === "graph" ? "No triple links two things." : "A network needs rows with two things: select a second variable whose values have ids." }));
    return () => {};
  }
  if (!drawable()) {
    into.replaceChildren(el("p", { textContent: "This browser cannot draw networks: it has no WebGL 2." }));
    return () => {};
  }
  let drawing = null, ended = false;
  const place = el("div", { className: "drawing" }), about = el("p", { className: "help" }), legend = el("ul", { className: "legend" });
  const chosen = el("p");
  chosen.setAttribute("role", "status");
  into.replaceChildren(about, legend, place, chosen, el("div", { className: "bar" },
    button("Zoom in", () => drawing?.zoom(1.5)), button("Zoom out", () => drawing?.zoom(1 / 1.5)), button("Show all", () => drawing?.fit())));
  about.textContent = `${count(found.nodes.length, "thing")}, ${count(found.edges.length, "link")}` +
    (found.left ? `; ${count(found.left, "link")} more would make too large a picture: narrow the query.` : ".");
  names.learn(found.nodes).then(() => {
    if (ended) return;
    const nodes = found.nodes.map((id) => ({ id, label: short(names.label(id) || names.compact(id)), kind: names.kind(id) }));
    // Kinds that have no look of their own look alike.
    const kinds = [...new Set(nodes.map(({ kind }) => (look(kind) === look("") ? "" : kind)))].sort().reverse();
    legend.replaceChildren(...kinds.map((kind) => el("li", {}, swatch(kind), ` ${kind || "other"}`)));
    drawing = draw(place, { nodes, edges: found.edges }, {
      label: `Network of ${about.textContent}`,
      chosen: (id) => {
        const href = id && names.href(id);
        chosen.replaceChildren(...(id ? [href ? el("a", { href, textContent: names.label(id) || names.compact(id) }) : names.compact(id)] : []));
      },
    });
  });
  return () => { ended = true; drawing?.kill(); };
}
