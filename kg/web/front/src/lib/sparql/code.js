// The editor: CodeMirror in a shadow root, where its style sheets are constructed, as a policy without inline styles wants.
import { autocompletion, acceptCompletion } from "@codemirror/autocomplete";
import { indentWithTab } from "@codemirror/commands";
import { HighlightStyle, LanguageSupport, ensureSyntaxTree, indentUnit, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { Compartment, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { styleTags, tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import { SparqlLanguage } from "codemirror-lang-sparql";
import { completions } from "./complete.js";

// Colours come from the page, whose custom properties reach into the shadow; so dark mode is the page's as well.
const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--paper)", fontSize: "14px" },
  "&.cm-focused": { outline: "3px solid var(--link)", outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: "ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', monospace", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--code-selected)" },
  ".cm-activeLine": { backgroundColor: "var(--code-line)" },
  ".cm-selectionMatch": { backgroundColor: "var(--code-selected)" },
  ".cm-gutters": { color: "var(--soft)", backgroundColor: "var(--tint)", borderRight: "1px solid var(--line)" },
  ".cm-activeLineGutter": { color: "var(--ink)", backgroundColor: "var(--tint)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { outline: "1px solid var(--link)", backgroundColor: "transparent" },
  ".cm-nonmatchingBracket, &.cm-focused .cm-nonmatchingBracket": { outline: "1px solid var(--warn)", backgroundColor: "transparent" },
  ".cm-foldPlaceholder": { color: "var(--soft)", backgroundColor: "var(--tint)", borderColor: "var(--line)" },
  ".cm-tooltip, .cm-panels": { color: "var(--ink)", backgroundColor: "var(--tint)", borderColor: "var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--paper)", backgroundColor: "var(--link)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "inherit", maxHeight: "18em" },
  ".cm-tooltip-autocomplete completion-section": { color: "var(--soft)", borderBottomColor: "var(--line)" },
  ".cm-completionDetail": { color: "var(--soft)", fontStyle: "normal" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionInfo": { maxWidth: "22rem", fontFamily: "system-ui, sans-serif" },
  "@media (max-width: 40rem)": { ".cm-tooltip.cm-completionInfo": { display: "none" } },
  ".cm-placeholder": { color: "var(--soft)" },
  ".cm-diagnostic": { whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--warn)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy 2px var(--warn)", textDecorationSkipInk: "none" },
  ".cm-textfield, .cm-button": { color: "var(--ink)", background: "var(--paper)", borderColor: "var(--soft)" },
});
const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.variableName, color: "var(--code-variable)" },
  { tag: [tags.namespace, tags.url, tags.typeName], color: "var(--code-name)" },
  { tag: [tags.string, tags.integer, tags.float, tags.bool], color: "var(--code-value)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);
// The package leaves names without a tag.
const language = SparqlLanguage.configure({
  props: [styleTags({ "Pname_ln Pname_ns Blank_node_label": tags.namespace, A_predicate: tags.keyword, Langtag: tags.string })],
});
// A browser keeps the looks of text that is typed over in an inline style, which the policy refuses; so the editor does it.
const overtyping = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || !event.data || empty || view.composing) return false;
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    // What closes brackets wants to see it first.
    const taken = view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, event.data, insert));
    if (!taken) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});
const PATIENCE = 500; // Milliseconds that a long text may take to be read to its end.
const PROLOGUE = /^(?:\s*(?:#.*)?\n)*/;

/** The editor in place of a text area. */
export class Code {
  /**
   * @param area The text area, which is hidden and keeps the text for the form. @param run What Ctrl-Enter does.
   */
  constructor(area, run) {
    const host = document.createElement("div"), act = () => { run(); return true; };
    host.id = "editor";
    area.after(host);
    area.hidden = true;
    this.names = new Compartment();
    const root = host.attachShadow({ mode: "open" });
    this.view = new EditorView({
      doc: area.value, parent: root, root,
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run: act }, { key: "Ctrl-Enter", run: act }])),
        keymap.of([{ key: "Tab", run: acceptCompletion }, indentWithTab]),
        basicSetup, new LanguageSupport(language), placeholder(area.placeholder), look, syntaxHighlighting(colours), indentUnit.of("  "), EditorView.lineWrapping, overtyping,
        this.names.of([]),
        EditorView.contentAttributes.of({ "aria-label": "SPARQL query", autocapitalize: "off", spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) area.value = this.text;
        }),
      ],
    });
  }

  get text() { return this.view.state.doc.toString(); }

  set text(text) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: 0 } });
    this.unmark();
  }

  /** Complete from a release's names. */
  know(names) {
    this.view.dispatch({ effects: this.names.reconfigure(autocompletion({ override: completions(names), icons: false })) });
  }

  /** Write out the prefixes that are used and not declared; returns which. */
  declare(names) {
    const { doc } = this.view.state, text = this.text, used = new Set(), declared = new Set();
    const tree = ensureSyntaxTree(this.view.state, doc.length, PATIENCE) ?? syntaxTree(this.view.state);
    tree.iterate({ enter: ({ name, from, to, node }) => {
      if (name !== "Pname_ln" && name !== "Pname_ns") return;
      const prefix = doc.sliceString(from, to).split(":", 1)[0];
      (node.parent?.name === "PrefixDecl" ? declared : used).add(prefix);
    } });
    const lacking = [...used].filter((prefix) => !declared.has(prefix) && Object.hasOwn(names.prefixes, prefix)).sort();
    const insert = lacking.map((prefix) => `PREFIX ${prefix}: <${names.prefixes[prefix]}>\n`).join("");
    if (insert) this.view.dispatch({ changes: { from: PROLOGUE.exec(text)[0].length, insert } });
    return lacking;
  }

  /** Underline the word at a place, counted from 1 in characters, and put the cursor there. */
  mark(line, column, message) {
    const { state } = this.view, at = state.doc.line(Math.min(line, state.doc.lines));
    const from = Math.min(at.from + [...at.text].slice(0, column - 1).join("").length, at.to);
    const after = /^(?:[\w?$:.-]+|\S)/.exec(state.sliceDoc(from, at.to));
    // Between words the one before is meant: a name is known to be wrong once it has been read.
    const before = /(?:[\w?$:.-]+|\S|)\s*$/.exec(state.sliceDoc(at.from, from));
    const range = after ? { from, to: from + after[0].length } : { from: at.from + before.index, to: from };
    this.view.dispatch(setDiagnostics(state, [{ ...range, severity: "error", message }]), { selection: { anchor: from }, scrollIntoView: true });
  }

  unmark() { this.view.dispatch(setDiagnostics(this.view.state, [])); }

  focus() { this.view.focus(); }
}
