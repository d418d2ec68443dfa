// What the editor offers as one types: variables, keywords, the ontology's terms, prefixes, and things by name.
import { syntaxTree } from "@codemirror/language";

const CLAUSES = `SELECT CONSTRUCT DESCRIBE ASK WHERE DISTINCT REDUCED FROM NAMED PREFIX BASE OPTIONAL UNION MINUS GRAPH FILTER
  BIND AS VALUES UNDEF EXISTS NOT IN ORDER BY GROUP HAVING LIMIT OFFSET ASC DESC`.split(/\s+/);
const FUNCTIONS = `ABS AVG BNODE BOUND CEIL COALESCE CONCAT CONTAINS COUNT DATATYPE DAY ENCODE_FOR_URI FLOOR GROUP_CONCAT HOURS IF IRI
  ISBLANK ISIRI ISLITERAL ISNUMERIC LANG LANGMATCHES LCASE MAX MIN MINUTES MONTH NOW RAND REGEX REPLACE ROUND SAMETERM SAMPLE
  SECONDS STR STRAFTER STRBEFORE STRDT STRENDS STRLANG STRLEN STRSTARTS SUBSTR SUM TIMEZONE TZ UCASE UUID YEAR`.split(/\s+/);
const SECTIONS = Object.fromEntries(
  ["Variables", "Ontology", "Keywords", "Prefixes", "Things"].map((name, rank) => [name, { name, rank }]));
const PREFIXED = /([A-Za-z][\w-]*):([\w.-]*)$/, VARIABLE = /[?$]\w*$/, WORD = /[\p{L}\p{N}][\p{L}\p{N}_'-]*$/u;
const DECLARING = /\bPREFIX\s+$/i;
const SILENT = new Set(["Comment", "String", "IriRef"]);
const MOST = 30, SOME = 12;
const WIDE = /[^\u0000-\u024f]/; // One character of such a script says as much as a syllable.

/** Return the sources of completion for a release's names. */
export function completions(names) {
  return [(context) => offline(context, names), things];
}

function place(context) {
  const node = syntaxTree(context.state).resolveInner(context.pos, -1);
  if (SILENT.has(node.name)) return null;
  const line = context.state.doc.lineAt(context.pos), before = line.text.slice(0, context.pos - line.from);
  const variable = VARIABLE.exec(before), prefixed = PREFIXED.exec(before), word = WORD.exec(before);
  const found = variable ?? prefixed ?? word;
  const from = context.pos - (found?.[0].length ?? 0);
  return { before: before.slice(0, before.length - (found?.[0].length ?? 0)), from, variable, prefixed, word };
}

function offline(context, names) {
  const at = place(context);
  if (!at) return null;
  if (at.variable) return result(at.from, variables(context, at.variable[0]));
  if (at.prefixed) {
    const [, prefix, local] = at.prefixed;
    const own = names.terms.filter((term) => term.id.startsWith(`${prefix}:`));
    return own.length ? result(at.from, terms(own, local, at, MOST)) : null;
  }
  if (!at.word && !context.explicit) return null;
  const typed = at.word?.[0] ?? "", declaring = DECLARING.test(at.before);
  const prefixes = Object.entries(names.prefixes).filter(([name]) => typed && begins(name, typed)).map(([name, iri]) => (
    { label: `${name}:`, apply: declaring ? `${name}: <${iri}>\n` : `${name}:`, detail: iri, type: "namespace", section: SECTIONS.Prefixes }));
  if (declaring) return result(at.from, prefixes);
  return result(at.from, [
    ...terms(names.terms, typed, at, SOME),
    ...CLAUSES.filter((word) => begins(word, typed)).map((label) => ({ label, type: "keyword", section: SECTIONS.Keywords })),
    ...FUNCTIONS.filter((word) => typed && begins(word, typed)).map((label) => ({ label, apply: `${label}(`, type: "function", section: SECTIONS.Keywords })),
    ...prefixes.slice(0, SOME),
  ]);
}

function result(from, options) {
  return options.length ? { from, options, filter: false } : null;
}

function variables({ state, pos }, typed) {
  const found = new Set();
  for (const { 0: name, index } of state.doc.toString().matchAll(/[?$]\w+/g)) {
    if (index + name.length !== pos) found.add(`?${name.slice(1)}`);
  }
  const close = [...found].filter((name) => begins(name.slice(1), typed.slice(1))).sort();
  return close.map((label) => ({ label, type: "variable", section: SECTIONS.Variables }));
}

/** The terms that a text is near to, classes first where a class is wanted. */
function terms(all, typed, { before }, most) {
  const wanted = /(?:\ba|rdf:type)\s+$/.test(before) ? "class" : "property", sought = typed.toLowerCase();
  const ranked = [];
  for (const term of all) {
    const near = nearness(term, sought);
    if (near < 9) ranked.push([near + (term.kind === wanted ? 0 : 0.5), term]);
  }
  // The terms come in the order of how often they are used, and sorting is stable.
  ranked.sort((one, other) => one[0] - other[0]);
  return ranked.slice(0, most).map(([, term]) => option(term));
}

function nearness({ id, label, names }, sought) {
  const local = id.slice(id.indexOf(":") + 1).toLowerCase(), name = label.toLowerCase();
  if (local.startsWith(sought)) return 1;
  if (name.startsWith(sought) || names.some((other) => begins(other, sought))) return 2;
  if (` ${name}`.includes(` ${sought}`)) return 3;
  return sought.length > 2 && local.includes(sought) ? 4 : 9;
}

function option({ id, kind, label, definition, uses }) {
  return {
    label: id, detail: label, type: kind, section: SECTIONS.Ontology,
    info: [definition, `${kind === "class" ? "Class" : "Property"}, stands ${Number(uses).toLocaleString("en")} times.`].filter(Boolean).join(" "),
  };
}

async function things(context) {
  const at = place(context);
  if (!at || at.variable || !(at.prefixed || at.word) || DECLARING.test(at.before)) return null;
  const prefix = at.prefixed?.[1], sought = at.prefixed ? at.prefixed[2].replace(/[-_.]/g, " ") : at.word[0];
  if (prefix === "cgt" || (sought.length < 3 && !WIDE.test(sought) && !prefix) || !sought) return null;
  const left = new AbortController();
  context.addEventListener("abort", () => left.abort());
  try {
    const response = await fetch(`/search?${new URLSearchParams({ q: sought })}`, { signal: left.signal, headers: { Accept: "application/json" } });
    if (!response.ok) return null;
    const { hits } = await response.json();
    const options = hits.filter((hit) => !prefix || hit.id.startsWith(`${prefix}:`)).map((hit) => ({
      label: hit.id, displayLabel: hit.label, apply: hit.id, type: "constant", section: SECTIONS.Things,
      detail: hit.kind + (hit.matched === hit.label ? "" : `, as ${hit.matched}`), info: hit.id,
    }));
    return result(at.from, options);
  } catch {
    return null;
  }
}

function begins(name, typed) {
  return name.toLowerCase().startsWith(typed.toLowerCase());
}
