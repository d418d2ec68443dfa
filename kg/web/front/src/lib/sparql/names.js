// What things are called: prefixes and terms of the release, and labels asked for as they are needed.
import { send } from "./endpoint.js";

const LOCAL = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const AT_ONCE = 300; // So many addresses fit into one query.

export class Names {
  constructor({ prefixes, paged, terms }) {
    Object.assign(this, { prefixes, terms, paged: new Set(paged), known: new Map() });
    this.starts = Object.entries(prefixes).sort((one, other) => other[1].length - one[1].length);
    for (const term of terms) this.known.set(this.expand(term.id), term.label);
    this.properties = new Set(terms.filter((term) => term.kind === "property").map((term) => this.expand(term.id)));
  }

  /** Read the names of the release; without them ids are shown in full and nothing is completed. */
  static async load() {
    try {
      return new Names(await (await fetch("/sparql/terms.json")).json());
    } catch {
      return new Names({ prefixes: {}, paged: [], terms: [] });
    }
  }

  expand(id) {
    const [prefix] = id.split(":", 1);
    return this.prefixes[prefix] + id.slice(prefix.length + 1);
  }

  /** Return the compact id of an IRI, or the IRI where no prefix fits. */
  compact(iri) {
    const found = this.starts.find(([, start]) => iri.startsWith(start) && LOCAL.test(iri.slice(start.length)));
    return found ? `${found[0]}:${iri.slice(found[1].length)}` : iri;
  }

  /** Return what kind of thing an IRI stands for, which the prefix of its compact id says. */
  kind(iri) {
    const id = this.compact(iri), prefix = id === iri ? "" : id.split(":", 1)[0];
    return prefix === "MONDO" ? "disease" : prefix;
  }

  label(iri) { return this.known.get(iri); }

  /** Return where an IRI leads: a page here, an address elsewhere, or nothing. */
  href(iri) {
    const id = this.compact(iri), [prefix] = id.split(":", 1), local = id.slice(prefix.length + 1);
    if (id !== iri && this.paged.has(prefix)) return this.label(iri) ? `/page/${prefix}/${encodeURIComponent(local)}` : null;
    if (id !== iri && prefix === "cgt") return `/ontology#${local}`;
    return /^https?:/.test(iri) && !iri.startsWith(this.prefixes.graph) ? iri : null;
  }

  /** Ask for the labels that are not known yet. Without them ids are shown, so a failure is no error. */
  async learn(iris) {
    const unknown = [...new Set(iris)].filter((iri) => !this.known.has(iri));
    for (let start = 0; start < unknown.length; start += AT_ONCE) {
      const some = unknown.slice(start, start + AT_ONCE);
      const query = `SELECT ?thing ?label { VALUES ?thing { ${some.map((iri) => `<${iri}>`).join(" ")} } ?thing rdfs:label ?label }`;
      try {
        const { results } = await (await send(query, ["application/sparql-results+json"])).json();
        for (const iri of some) this.known.set(iri, "");
        for (const { thing, label } of results.bindings) {
          if (!this.known.get(thing.value) || label["xml:lang"] === "en") this.known.set(thing.value, label.value);
        }
      } catch { return; }
    }
  }
}
