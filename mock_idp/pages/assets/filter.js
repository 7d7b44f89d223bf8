// Narrows a list down while one types. Without it, the list is whole.
for (const field of document.querySelectorAll("input[data-filters]")) {
  const items = [...document.querySelectorAll(field.dataset.filters)];
  const groups = [...document.querySelectorAll(field.dataset.groups || "#none")];
  field.closest("[hidden]").hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const item of items) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word)) && !item.querySelector(":checked");
    }
    for (const group of groups) {
      group.hidden = !group.querySelector("li:not([hidden])");
      group.open = field.value.length > 0;
    }
  });
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}
