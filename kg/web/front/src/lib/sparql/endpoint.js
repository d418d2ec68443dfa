// Asks the endpoint, and reads what it answers.
export const FORMATS = {
  rows: [
    ["JSON", "application/sparql-results+json", "json"], ["CSV", "text/csv", "csv"],
    ["TSV", "text/tab-separated-values", "tsv"], ["XML", "application/sparql-results+xml", "xml"],
  ],
  graph: [
    ["Turtle", "text/turtle", "ttl"], ["N-Triples", "application/n-triples", "nt"],
    ["JSON-LD", "application/ld+json", "jsonld"], ["RDF/XML", "application/rdf+xml", "rdf"],
  ],
};
const PROBLEM = "application/problem+json";
const READ = ["application/sparql-results+json", "application/n-triples"];

/** What the endpoint refuses: `status`, `message`, and where it points at a place `line` and `column`. */
export class Refused extends Error {
  constructor({ status, detail, line, column }) {
    super(detail);
    Object.assign(this, { status, line, column });
  }
}

/** Send a query; throws `Refused`, or what `fetch` throws. */
export async function send(query, media, { signal, seconds } = {}) {
  const body = new URLSearchParams({ query });
  if (seconds) body.set("timeout", seconds);
  const response = await fetch("/sparql", { method: "POST", body, signal, headers: { Accept: [...media, PROBLEM].join(", ") } });
  if (response.ok) return response;
  const told = response.headers.get("Content-Type")?.startsWith(PROBLEM) ? await response.json() : { detail: await response.text() };
  throw new Refused({ ...told, status: response.status });
}

/** Ask a query, and return its `Answer`. */
export async function ask(query, options) {
  const begun = performance.now();
  const response = await send(query, READ, options);
  const media = response.headers.get("Content-Type").split(";")[0];
  const text = await response.text();
  return new Answer(query, media, text, response.headers.get("X-Release"), (performance.now() - begun) / 1000);
}

/** A result: `kind` is rows, graph or truth; rows are bindings by column, as in SPARQL's JSON. */
export class Answer {
  constructor(query, media, text, release, seconds) {
    Object.assign(this, { query, release, seconds, texts: new Map([[media, text]]) });
    if (media === READ[1]) {
      Object.assign(this, { kind: "graph", columns: ["subject", "predicate", "object"], rows: triples(text) });
    } else {
      const { head, results, boolean } = JSON.parse(text);
      this.kind = results ? "rows" : "truth";
      Object.assign(this, { columns: head.vars ?? [], rows: results?.bindings ?? [], truth: boolean });
    }
  }

  get formats() {
    if (this.kind === "truth") return FORMATS.rows.filter(([name]) => name === "JSON" || name === "XML");
    return FORMATS[this.kind];
  }

  /** Return the result's text in a format; what was asked for once is kept. */
  async text(media) {
    if (!this.texts.has(media)) this.texts.set(media, await (await send(this.query, [media])).text());
    return this.texts.get(media);
  }
}

const TRIPLE = /^(<[^>]*>|_:\S+) (<[^>]*>) (?:(<[^>]*>|_:\S+)|"((?:[^"\\]|\\.)*)"(?:@([\w-]+)|\^\^<([^>]*)>)?) \.$/;
const ESCAPE = /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g;
const SIGNS = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f" };

/** Return the triples of an N-Triples document as bindings. */
export function triples(text) {
  const rows = [];
  for (const line of text.split("\n")) {
    const found = TRIPLE.exec(line);
    if (!found) continue;
    const [, subject, predicate, resource, literal, language, datatype] = found;
    const object = resource ? node(resource) : { type: "literal", value: plain(literal) };
    if (language) object["xml:lang"] = language;
    if (datatype) object.datatype = plain(datatype);
    rows.push({ subject: node(subject), predicate: node(predicate), object });
  }
  return rows;
}

function node(term) {
  return term[0] === "<" ? { type: "uri", value: plain(term.slice(1, -1)) } : { type: "bnode", value: term.slice(2) };
}

function plain(text) {
  return text.replace(ESCAPE, (_, short, long, sign) => (sign ? SIGNS[sign] ?? sign : String.fromCodePoint(parseInt(short ?? long, 16))));
}
