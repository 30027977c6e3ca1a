// The few things that neither HTML nor htmx does: asking before what cannot be undone, the menu on a phone, copying, printing.
"use strict";
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.ask || event.target.dataset.ask;
  if (question && !window.confirm(question)) event.preventDefault();
});
const menu = document.querySelector("details.menu");
const narrow = window.matchMedia("(max-width: 60rem)");
const fold = () => { if (menu) menu.open = !narrow.matches; };
narrow.addEventListener("change", fold);
fold();
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("copied");
  if (button.dataset.copied) button.textContent = button.dataset.copied;
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
// What renews itself rests while nobody looks.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.hasAttribute("data-poll")) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const field = document.getElementById(button.dataset.into);
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
// The key / leads to the search, unless somebody types.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector("[data-find]");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});
