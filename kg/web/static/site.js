// Suggestions below the search box. Without this script the box is a plain form and does the same in two steps.
"use strict";
(function () {
  const input = document.getElementById("q");
  if (!input) return;
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  input.after(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", list.id);
  let hits = [], chosen = -1, timer = 0, asked = 0;

  function close() {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  function choose(index) {
    chosen = index;
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === chosen)));
    if (chosen >= 0) {
      input.setAttribute("aria-activedescendant", list.children[chosen].id);
      list.children[chosen].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }
  function show() {
    list.replaceChildren(...hits.map((hit, index) => {
      const item = document.createElement("li"), name = document.createElement("b"), about = document.createElement("span");
      item.id = "suggestion-" + index;
      item.setAttribute("role", "option");
      name.textContent = hit.label;
      about.className = "help";
      about.append(hit.kind, hit.apart ? ", " + hit.apart : "");
      if (hit.matched !== hit.label) {
        const as = document.createElement("span");
        as.textContent = hit.matched;
        if (hit.language) as.lang = hit.language;
        about.append(", as ", as);
      }
      item.append(name, about);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); location.assign(hit.href); });
      return item;
    }));
    list.hidden = hits.length === 0;
    input.setAttribute("aria-expanded", String(hits.length > 0));
    choose(-1);
  }
  async function served(text) {
    const response = await fetch("/search?q=" + encodeURIComponent(text), { headers: { Accept: "application/json" } });
    return response.ok ? (await response.json()).hits.filter((hit) => hit.href) : [];
  }
  async function ask() {
    const text = input.value.trim(), turn = ++asked;
    if (!text) { hits = []; close(); return; }
    try {
      // A copy without a server brings a search of its own.
      const found = window.kgSearch ? (await window.kgSearch(text)).slice(0, 8) : await served(text);
      if (turn !== asked) return;
      hits = found;
      if (document.activeElement === input) show();
    } catch (error) { close(); }
  }
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1, size = hits.length + 1;
      choose((chosen + 1 + step + size) % size - 1);
    } else if (event.key === "Escape") { event.preventDefault(); close(); }
    else if (event.key === "Enter" && chosen >= 0) { event.preventDefault(); location.assign(hits[chosen].href); }
  });
})();
