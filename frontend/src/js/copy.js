// [data-copy="text"] copies it and says so; ids, request ids, links.
import { announce } from "./live.js";

export function startCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      announce(button.dataset.copied || button.dataset.copy);
      button.classList.add("is-done");
      setTimeout(() => button.classList.remove("is-done"), 1500);
    } catch {
      // No clipboard here: the text is on the page to be selected.
    }
  });
}
