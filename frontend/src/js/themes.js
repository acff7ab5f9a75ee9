// The theme entries of the user menu: [data-choose-theme="light|dark|system"] act like radio buttons.
import { chooseTheme, storedTheme } from "./theme.js";

export function startThemes() {
  const mark = () => {
    for (const entry of document.querySelectorAll("[data-choose-theme]")) {
      entry.setAttribute("aria-checked", String(entry.dataset.chooseTheme === storedTheme()));
    }
  };
  document.addEventListener("click", (event) => {
    const entry = event.target.closest("[data-choose-theme]");
    if (!entry) return;
    chooseTheme(entry.dataset.chooseTheme);
    mark();
  });
  mark();
}
