// One polite region says what an htmx swap changed: the target's data-announce, else its first heading or caption.
let timer = 0;

export function announce(text) {
  const region = document.getElementById("live");
  if (!region || !text) return;
  region.textContent = "";
  clearTimeout(timer);
  timer = setTimeout(() => { region.textContent = text; }, 80);
}

export function startLive() {
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector("meta[name=csrf-token]")?.content;
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const target = event.detail.target ?? event.target;
    const said = target.querySelector?.("[data-announce]") ?? target.closest?.("[data-announce]");
    announce(said?.dataset.announce || target.querySelector?.("caption, h1, h2, h3")?.textContent.trim());
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => announce(document.getElementById("live")?.dataset.failed));
  }
}
