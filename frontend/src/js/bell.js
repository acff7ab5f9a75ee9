// The bell is a link to the whole list; with scripts it opens a panel in the top layer. What is opened was read.
import { place } from "./menu.js";

function follow(link) {
  const token = document.querySelector("meta[name=csrf-token]")?.content ?? "";
  fetch(link.dataset.read, { method: "POST", keepalive: true, headers: { "X-CSRFToken": token, "X-Requested-With": "fetch" } });
}

export function startBell() {
  const bell = document.querySelector("[data-bell]");
  const panel = document.getElementById("bell-panel");
  for (const kind of ["click", "auxclick"]) {
    document.addEventListener(kind, (event) => {
      const link = event.target.closest?.("a[data-read]");
      if (link && event.button < 2) follow(link);
    });
  }
  document.getElementById("news")?.addEventListener("htmx:afterSwap", () => {
    for (const mark of document.querySelectorAll("[data-news]")) mark.remove();
  });
  if (!bell || !panel || !panel.showPopover) return;
  bell.setAttribute("aria-haspopup", "dialog");
  bell.setAttribute("aria-expanded", "false");
  // A press on the bell closes the open panel by itself, before the click would open it anew.
  let wasOpen = false;
  bell.addEventListener("pointerdown", () => { wasOpen = panel.matches(":popover-open"); });
  bell.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (panel.matches(":popover-open")) panel.hidePopover();
    else if (!wasOpen) panel.showPopover();
    wasOpen = false;
  });
  panel.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    bell.setAttribute("aria-expanded", String(open));
    if (!open) return;
    place(panel, bell);
    panel.focus({ preventScroll: true });
    window.htmx?.trigger(panel, "opened");
  });
  panel.addEventListener("htmx:afterSwap", () => place(panel, bell));
  window.addEventListener("resize", () => { if (panel.matches(":popover-open")) panel.hidePopover(); });
}
