// Small help with elements.

/** Return a new element with properties and children; what is text stays text. */
export function el(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Return a button that does something. */
export function button(text, act, properties = {}) {
  return el("button", { type: "button", textContent: text, className: "quiet", onclick: act, ...properties });
}

/** Give a file to the person who asked for it. */
export function save(name, blob) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Put a text into the clipboard, and say so on the button for a moment. */
export async function copy(text, from) {
  const before = from.textContent;
  try {
    await navigator.clipboard.writeText(text);
    from.textContent = "Copied";
  } catch {
    from.textContent = "Not allowed here";
  }
  setTimeout(() => { from.textContent = before; }, 1500);
}

/** Write a whole number as people read it. */
export function count(number, what) {
  return `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
}
