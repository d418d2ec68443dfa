// Tables that have all their rows on the page sort and filter in place. Without this script their links and forms
// ask the server for the same.
"use strict";
(function () {
  function set(table) {
    const body = table.querySelector("tbody"), form = table.querySelector("form");
    if (!body) return;
    const first = [...body.rows], heads = [...table.querySelectorAll("thead th")];
    const count = table.querySelector(".count"), here = new URL(table.dataset.at, location.href);
    const files = [...table.querySelectorAll(".files a")].map((link) => [link, new URL(link.href)]);
    const texts = new Map(first.map((row) => [row, [...row.cells].map(said)]));
    const found = new Map(first.map((row) => [row, [...row.cells].map((cell) => cell.textContent.toLowerCase())]));
    let sort = heads.findIndex((head) => head.ariaSort !== "none"), down = sort >= 0 && heads[sort].ariaSort === "descending";

    function said(cell) {
      const plain = cell.cloneNode(true);
      plain.querySelectorAll(".zh").forEach((name) => name.remove());
      const items = [...plain.querySelectorAll("li")].map((item) => item.textContent.trim());
      return items.length ? items : plain.textContent.replace(/ +;/g, ";").trim().split("; ");
    }
    function rank(row) {
      const text = texts.get(row)[sort].join("; "), number = row.cells[sort].className === "n" ? Number(text) : NaN;
      return Number.isNaN(number) ? text.toLowerCase() : number;
    }
    function wanted() {
      const words = new URLSearchParams();
      if (sort >= 0) words.set("_sort", (down ? "-" : "") + heads[sort].dataset.column);
      for (const field of form ? form.querySelectorAll("input[type=search], select") : []) {
        if (field.value.trim()) words.set(field.name, field.value.trim());
      }
      return words;
    }
    function show() {
      let rows = [...first];
      if (sort >= 0) {
        const empty = rows.filter((row) => !row.cells[sort].textContent), full = rows.filter((row) => row.cells[sort].textContent);
        const turn = down ? -1 : 1;
        rows = full.map((row) => [rank(row), row]).sort((a, b) => (a[0] < b[0] ? -turn : a[0] > b[0] ? turn : 0)).map((pair) => pair[1]).concat(empty);
      }
      const words = wanted(), sought = (words.get("_find") || "").toLowerCase();
      const only = heads.map((head, place) => [place, words.get("_is_" + head.dataset.column)]).filter((pair) => pair[1]);
      rows = rows.filter((row) => only.every(([place, value]) => texts.get(row)[place].includes(value) || texts.get(row)[place].join("; ") === value)
        && (!sought || found.get(row).some((text) => text.includes(sought))));
      body.replaceChildren(...rows);
      heads.forEach((head, place) => { head.ariaSort = place !== sort ? "none" : down ? "descending" : "ascending"; });
      count.textContent = rows.length === first.length ? rows.length.toLocaleString("en") : rows.length.toLocaleString("en") + " of " + first.length.toLocaleString("en");
      remember(words);
    }
    function remember(words) {
      const all = new URLSearchParams([...here.searchParams, ...words]);
      // On the question's own page the address says what is seen, so that it can be sent and kept.
      if (here.pathname === location.pathname) history.replaceState(null, "", here.pathname + (all.size ? "?" + all : ""));
      files.forEach(([link, at]) => { link.href = at.pathname + (all.size ? "?" + all : ""); });
    }

    heads.forEach((head, place) => head.querySelector("a").addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      down = place === sort && !down;
      sort = place;
      show();
    }));
    if (form) {
      form.addEventListener("input", show);
      form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
      form.querySelector("button").hidden = true;
    }
  }
  document.querySelectorAll(".table[data-whole]").forEach(set);
})();
