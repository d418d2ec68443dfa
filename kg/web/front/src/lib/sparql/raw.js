// A result as text, in every format of the endpoint.
import { button, copy, count, el } from "./dom.js";

const MOST = 200_000; // Characters that are shown; copies and downloads have all.

/** Show a result's text in an element. */
export function raw(into, answer) {
  const note = el("span", { className: "help" }), text = el("pre", { tabIndex: 0 });
  const choice = el("select", { id: "format" }, ...answer.formats.map(([name, media]) => el("option", { value: media, textContent: name })));
  const take = button("Copy", async () => copy(await answer.text(choice.value), take));
  const tools = el("div", { className: "tools" },
    el("p", {}, el("label", { htmlFor: "format", textContent: "Format " }), choice), take, note);
  text.setAttribute("aria-label", "Result as text");
  text.setAttribute("role", "region");
  choice.addEventListener("change", show);
  into.replaceChildren(tools, text);
  show();

  async function show() {
    try {
      const whole = await answer.text(choice.value);
      text.textContent = whole.slice(0, MOST);
      note.textContent = whole.length > MOST ? `The first ${MOST.toLocaleString("en")} of ${count(whole.length, "character")}.` : "";
    } catch (error) {
      text.textContent = error.message;
    }
  }
}
