// What is known of the node that was chosen: its names, what is linked with it here, and what one can do with it.
const MOST = 60; // Links of one relation at once.

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function button(text, act, pressed) {
  const made = element("button", { type: "button", textContent: text });
  made.addEventListener("click", act);
  if (pressed !== undefined) made.setAttribute("aria-pressed", String(pressed));
  return made;
}

/** Fill the panel for a node, or without one say what can be done. */
export function panel(place, page, id) {
  const { drawing, filters } = page, hidden = filters.hidden.size;
  const reveal = hidden ? [button(`Show the ${hidden} hidden`, () => { filters.reveal(); page.filter(); panel(place, page, id); })] : [];
  if (!id) {
    const how = page.explores ? " A double click or Enter expands it." : "";
    place.replaceChildren(
      element("p", { className: "help", textContent: `Choose a node, by a click or in the list below, to see what is linked with it.${how}` }),
      element("p", { className: "doing" }, ...reveal),
    );
    return;
  }
  const facts = drawing.graph.getNodeAttributes(id), groups = page.data.expanded?.[id];
  const doing = element("p", { className: "doing" });
  if (page.explores && !groups) doing.append(button("Expand", () => page.expand(id)));
  if (!page.explores) doing.append(element("a", { href: `/explore?thing=${id}`, textContent: "Explore from here" }));
  doing.append(
    button("Pin", (event) => {
      const fixed = event.target.getAttribute("aria-pressed") !== "true";
      drawing.pin(id, fixed);
      event.target.setAttribute("aria-pressed", String(fixed));
    }, Boolean(facts.fixed)),
    button("Hide", () => page.hide(id)),
    ...reveal,
  );
  if (facts.href) doing.append(element("a", { href: facts.href, textContent: "Open its page" }));
  place.replaceChildren(
    element("h3", { textContent: facts.label }),
    element("p", { className: "said", textContent: [facts.kind, facts.date].filter(Boolean).join(" · ") }),
    ...(facts.names ? [element("p", { className: "said", textContent: facts.names.join(", ") })] : []),
    doing,
    ...(groups ?? []).filter((group) => group.shown < group.count).map((group) => rest(page, id, group)),
    ...linked(page, id),
  );
}

/** What a step left out, with a button for more of it. */
function rest(page, id, group) {
  const most = Math.min(group.shown + 200, group.count);
  const step = `${id}~${group.way}~${group.property}~${most}`;
  return element("p", {}, `${group.label}: ${group.shown} of ${group.count} shown `,
    button(`Show ${most - group.shown} more`, () => page.expand(id, step)));
}

/** The edges of a node that are shown, by relation. */
function linked(page, id) {
  const { drawing } = page, { graph, hidden } = drawing, groups = new Map();
  graph.forEachEdge(id, (key, edge, source, target) => {
    if (hidden.has(key)) return;
    const other = source === id ? target : source;
    const name = `${source === id ? "→" : "←"} ${edge.label}`;
    const known = { other, label: graph.getNodeAttribute(other, "label"), ...edge };
    groups.set(name, [...(groups.get(name) ?? []), known]);
  });
  const order = (one, other) => (one.date ?? "").localeCompare(other.date ?? "") || one.label.localeCompare(other.label, "en");
  return [...groups].sort().flatMap(([name, edges]) => [
    element("h4", { textContent: `${name} (${edges.length})` }),
    element("ul", {}, ...edges.sort(order).slice(0, MOST).map((edge) => line(page, edge)),
      ...(edges.length > MOST ? [element("li", { className: "said", textContent: `and ${edges.length - MOST} more` })] : [])),
  ]);
}

function line(page, { other, date, detail, milestone, sources }) {
  const to = button(page.drawing.graph.getNodeAttribute(other, "label"), () => page.drawing.choose(other, true));
  to.className = "to";
  const item = element("li", {}, to);
  if (date) item.append(" ", element("time", { dateTime: date, textContent: date }));
  if (detail) item.append(" ", element("span", { className: "said", textContent: detail.replaceAll("|", ", ") }));
  const links = [...(milestone ? [[milestone, "milestone"]] : []), ...(sources ?? []).map((one, index) => [one, `source ${index + 1}`])];
  for (const [one, text] of links) {
    const link = element("a", { href: `/page/${one.replace(":", "/")}`, textContent: text, title: page.data.names[one] ?? "" });
    item.append(" ", link);
  }
  return item;
}
