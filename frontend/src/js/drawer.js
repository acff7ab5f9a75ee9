// The sidebar as a drawer on phones: the same markup, moved into a modal dialog while it is open.
export function startDrawer() {
  const drawer = document.getElementById("drawer");
  const side = document.querySelector(".side");
  if (!drawer || !side) return;
  const home = side.parentElement;
  const next = side.nextSibling;
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-open-drawer]")) return;
    drawer.append(side);
    drawer.showModal();
  });
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer || event.target.closest("[data-close-drawer]")) drawer.close();
  });
  drawer.addEventListener("close", () => home.insertBefore(side, next));
  window.matchMedia("(min-width: 761px)").addEventListener("change", (wide) => {
    if (wide.matches && drawer.open) drawer.close();
  });
}
