// The box that adds a thing to an exploration: suggestions as one types, by any name in any script.

/** Let a form add what its box names; `add(id)` is called. Without this script the form leads to a list to choose from. */
export function adding(form, add) {
  const input = form.querySelector("input[list]"), choices = input.list, known = new Map();
  let timer = 0;

  async function ask() {
    const response = await fetch(`/search?q=${encodeURIComponent(input.value.trim())}`, { headers: { Accept: "application/json" } });
    return response.ok ? (await response.json()).hits.filter((hit) => hit.href?.startsWith("/page/")) : [];
  }

  async function suggest() {
    if (!input.value.trim() || known.has(input.value)) return;
    const hits = await ask().catch(() => []);
    known.clear();
    choices.replaceChildren(...hits.map((hit) => {
      const text = known.has(hit.label) ? `${hit.label} (${hit.id})` : hit.label;
      known.set(text, hit.id);
      const also = `${hit.apart ? `, ${hit.apart}` : ""}${hit.matched === hit.label ? "" : `, as ${hit.matched}`}`;
      return Object.assign(document.createElement("option"), { value: text, label: `${text} (${hit.kind}${also})` });
    }));
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(suggest, 120); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(timer);
    const id = known.get(input.value) ?? (await ask().catch(() => []))[0]?.id;
    input.setCustomValidity(id ? "" : "Nothing in the graph has a name like this.");
    if (!id) { input.reportValidity(); return; }
    input.value = "";
    add(id);
  });
  input.addEventListener("input", () => input.setCustomValidity(""));
}
