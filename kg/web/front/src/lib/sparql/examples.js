// The library's questions, searched and opened in the editor.

/** Let a click on a question open its query. @param open Takes a query's text. @param failed Takes a message. */
export function examples(open, failed) {
  const place = document.getElementById("examples"), input = document.getElementById("example");
  document.getElementById("seek").hidden = false;
  for (const narrowed of place.querySelectorAll(".given")) narrowed.hidden = false;
  input.addEventListener("input", () => {
    const sought = input.value.trim().toLowerCase();
    for (const section of place.querySelectorAll("section")) {
      for (const item of section.querySelectorAll("li")) {
        item.hidden = !`${item.textContent} ${item.firstElementChild.title}`.toLowerCase().includes(sought);
      }
      section.hidden = !section.querySelector("li:not([hidden])");
    }
  });
  place.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-query]");
    // With a modifier a link opens as links do.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    try {
      const response = await fetch(link.dataset.query), text = await response.text();
      if (response.ok) open(tidied(text, link));
      else failed(text);
    } catch (error) { failed(error.message); }
  });
}

/** The header of a question is for programs; a person reads what is asked. */
function tidied(text, link) {
  const { textContent, title } = link.className === "given" ? link.parentElement.firstElementChild : link;
  return `# ${textContent}: ${title}\n${text.replace(/^#\+.*\n/gm, "")}`;
}
