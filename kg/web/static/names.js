// The search of a published copy, where no server answers: names are read from a file when the first is sought.
"use strict";
(function () {
  const file = new URL(document.currentScript.dataset.names, location.href);
  const MOST = 40;
  let reading = null;

  // As a script rather than as data, because browsers let a page opened from disk load scripts only.
  function read() {
    return reading = reading || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = file;
      script.onload = () => resolve(prepared(window.kgNames));
      script.onerror = () => { reading = null; reject(new Error("the names cannot be read")); };
      document.head.append(script);
    });
  }
  function plain(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  }
  function pairs(text) {
    const found = new Set(), within = " " + text + " ";
    for (let place = 0; place < within.length - 1; place++) found.add(within.slice(place, place + 2));
    return found;
  }
  function prepared({ kinds, things, beside }) {
    return things.flatMap(([id, label, kind, names], place) => [label, ...names].map((name) => {
      const [prefix, local] = id.split(":"), text = plain(name);
      const href = new URL("../page/" + prefix + "/" + encodeURIComponent(local) + "/index.html", file).href;
      return { id, label, kind: kinds[kind], matched: name, href, text, beside: place >= beside, own: name === label };
    }));
  }
  // From 0 to 100: the whole name, its beginning, the beginning of a word, a part, words in any order, likeness.
  function score(wanted, words, likeness, name) {
    const text = name.text;
    if (text === wanted) return 100;
    const share = wanted.length / (text.length || 1);
    if (text.startsWith(wanted)) return 85 + 10 * share;
    if ((" " + text).includes(" " + wanted)) return 75 + 10 * share;
    if (wanted.length > 1 && text.includes(wanted)) return 65 + 10 * share;
    const parts = text.split(" ");
    if (words.length > 1 && words.every((word) => parts.some((part) => part.startsWith(word)))) return 60 + 10 * share;
    if (wanted.length < 4 || text.length > wanted.length * 2) return 0;
    const have = pairs(text);
    let both = 0;
    likeness.forEach((pair) => { both += have.has(pair); });
    const alike = 2 * both / (likeness.size + have.size);
    return alike < 0.4 ? 0 : 60 * alike;
  }
  // Of things that are called the same, their ids tell which is which.
  function apart(hit, _, hits) {
    const twin = hits.some((other) => other.id !== hit.id && other.label === hit.label && other.kind === hit.kind);
    return twin ? { ...hit, apart: hit.id } : hit;
  }
  function search(names, text) {
    const wanted = plain(text), words = wanted.split(" "), likeness = pairs(wanted), best = new Map();
    if (!wanted) return [];
    for (const name of names) {
      const points = score(wanted, words, likeness, name), known = best.get(name.id);
      if (points > 0 && !(known && (known.points > points || (known.points === points && !name.own)))) best.set(name.id, { ...name, points });
    }
    return [...best.values()].sort((a, b) => b.points - a.points || a.beside - b.beside || (a.label < b.label ? -1 : 1)).slice(0, MOST)
      .sort((a, b) => a.beside - b.beside).map(apart);
  }
  window.kgSearch = async (text) => search(await read(), text);

  const list = document.getElementById("found"), status = document.getElementById("found-status");
  const sought = new URLSearchParams(location.search).get("q");
  if (!list || !sought) return;
  document.getElementById("q").value = sought;
  window.kgSearch(sought).then((hits) => {
    status.textContent = hits.length ? hits.length + (hits.length === 1 ? " name comes" : " names come") + " near “" + sought + "”" : "Nothing in the graph has a name like “" + sought + "”.";
    list.replaceChildren(...hits.map((hit) => {
      const item = document.createElement("li"), link = document.createElement("a"), about = document.createElement("span");
      link.href = hit.href;
      link.textContent = hit.label;
      about.className = "kind";
      about.textContent = " " + hit.kind + (hit.apart ? ", " + hit.apart : "") + (hit.matched === hit.label ? "" : ", as " + hit.matched);
      item.append(link, about);
      return item;
    }));
  }).catch((error) => { status.textContent = "The search does not work here: " + error.message + "."; });
})();
