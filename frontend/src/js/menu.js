// Menus are popovers: light dismiss, Escape and the top layer come from the browser; we place them and move the focus.
const GAP = 4;

export function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const alignEnd = menu.dataset.align !== "start";
  const left = alignEnd ? at.right - width : at.left;
  const below = at.bottom + GAP + height <= window.innerHeight || at.top < height;
  menu.style.left = `${Math.max(8, Math.min(left, window.innerWidth - width - 8))}px`;
  menu.style.top = `${below ? at.bottom + GAP : at.top - height - GAP}px`;
}

const items = (menu) => [...menu.querySelectorAll("[role^=menuitem]")];

export function startMenus() {
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!menu.matches?.(".menu-x[popover]")) return;
      const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
      const open = event.newState === "open";
      button?.setAttribute("aria-expanded", String(open));
      if (open && button) {
        place(menu, button);
        items(menu)[0]?.focus({ preventScroll: true });
      }
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(".menu-x");
    if (!menu) return;
    const all = items(menu);
    const at = all.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    if (event.key in moves) {
      all[(moves[event.key] + all.length) % all.length]?.focus();
      event.preventDefault();
    } else if (event.key === "Tab") menu.hidePopover?.();
  });
  document.addEventListener("click", (event) => {
    const item = event.target.closest(".menu-x [role^=menuitem]");
    if (!item) return;
    if (item.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      event.stopPropagation();
    } else if (item.getAttribute("role") === "menuitem") item.closest("[popover]")?.hidePopover();
  }, true);
  window.addEventListener("resize", () => document.querySelector(".menu-x:popover-open")?.hidePopover());
}
