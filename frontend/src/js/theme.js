// Runs before the first paint, so that a chosen theme never flashes. Nothing stored means: follow the system.
const KEY = "theme";

/** "light", "dark" or "system", as stored in this browser. */
export function storedTheme() {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

/** Show a theme now; `system` sets nothing, so color-scheme decides. */
export function applyTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.bsTheme;
  else document.documentElement.dataset.bsTheme = theme;
}

/** Show a theme and keep it. */
export function chooseTheme(theme) {
  applyTheme(theme);
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // A browser that keeps nothing still shows the theme until the next page.
  }
}

applyTheme(storedTheme());
