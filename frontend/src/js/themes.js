// The theme entries of the user menu: [data-theme="light|dark|system"] act like radio buttons.
import { chooseTheme, storedTheme } from "./theme.js";

export function startThemes() {
  const mark = () => {
    for (const entry of document.querySelectorAll("[data-theme]")) {
      entry.setAttribute("aria-checked", String(entry.dataset.theme === storedTheme()));
    }
  };
  document.addEventListener("click", (event) => {
    const entry = event.target.closest("[data-theme]");
    if (!entry) return;
    chooseTheme(entry.dataset.theme);
    mark();
  });
  mark();
}
