import { EditorView, basicSetup } from "codemirror";
window.kgEditor = { EditorView, basicSetup };
