// Command palette: Ctrl-K or / opens it. It lists the places of the sidebar and the acts of this page; with
// data-search on the dialog, hits of the server come under them (one GET with ?q=, an HTML fragment of .pal-i links).
import { icon, inField, make, word } from "./dom.js";

const DEBOUNCE_MS = 150;

function localEntries() {
  const places = [...document.querySelectorAll("a[data-go-place]")].map((link) => ({
    label: link.dataset.label, href: link.href, icon: link.dataset.icon, keys: link.dataset.go ? ["g", link.dataset.go] : [], group: word("goTo"),
  }));
  const acts = [...document.querySelectorAll("[data-command]")].map((element) => ({
    label: element.dataset.command || element.textContent.trim(), run: () => element.click(), icon: element.dataset.icon || "command",
    keys: element.dataset.key ? [element.dataset.key] : [], group: word("doThis"),
  }));
  return [...acts, ...places];
}

/** Every word of the query must be in the label, in any order. */
export function matches(label, query) {
  const text = label.toLocaleLowerCase();
  return query.toLocaleLowerCase().split(/\s+/).filter(Boolean).every((part) => text.includes(part));
}

export function startPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const count = dialog.querySelector("[data-count]");
  let remote = [];
  let timer = 0;
  let asked = 0;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const select = (next) => {
    for (const option of options()) option.setAttribute("aria-selected", String(option === next));
    if (next) {
      input.setAttribute("aria-activedescendant", next.id);
      next.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };

  function row(entry, index) {
    const keys = make("span", "", ...entry.keys.map((key) => make("kbd", "", key)));
    const option = make(entry.href ? "a" : "div", "pal-i", icon(entry.icon || "arrow-right"), make("span", "", make("b", "strong", entry.label)), keys);
    option.id = `pal-${index}`;
    option.tabIndex = -1;
    option.setAttribute("role", "option");
    if (entry.href) option.href = entry.href;
    else option.addEventListener("click", () => { dialog.close(); entry.run(); });
    return option;
  }

  function draw() {
    const query = input.value.replace(/^>\s*/, "").trim();
    const hits = localEntries().filter((entry) => matches(entry.label, query));
    list.replaceChildren(...remote);
    let group = "";
    hits.forEach((entry, index) => {
      if (entry.group !== group) {
        group = entry.group;
        const head = make("div", "pal-h", group);
        head.setAttribute("role", "presentation");
        list.append(head);
      }
      list.append(row(entry, index));
    });
    if (!options().length) list.append(make("div", "pal-none", word("noHits")));
    count.textContent = word("hits").replace("{n}", options().length);
    select(options()[0]);
  }

  async function ask() {
    const query = input.value.trim();
    const mine = ++asked;
    if (!dialog.dataset.search || query.length < 2 || query.startsWith(">")) {
      remote = [];
      return draw();
    }
    try {
      const answer = await fetch(`${dialog.dataset.search}?q=${encodeURIComponent(query)}`, { headers: { "X-Requested-With": "fetch" } });
      if (mine !== asked || !answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      remote = [...page.body.children];
      draw();
    } catch {
      // Offline or aborted: the local hits stay.
    }
  }

  const open = () => {
    if (dialog.open) return;
    input.value = "";
    remote = [];
    dialog.showModal();
    draw();
    input.focus();
  };

  input.addEventListener("input", () => {
    draw();
    clearTimeout(timer);
    timer = setTimeout(ask, DEBOUNCE_MS);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      // A search field would use the first Escape to empty itself.
      event.preventDefault();
      dialog.close();
      return;
    }
    const all = options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      select(all[(at + step + all.length) % all.length]);
      event.preventDefault();
    } else if (event.key === "Enter" && all[at]) {
      event.preventDefault();
      if ((event.ctrlKey || event.metaKey) && all[at].href) window.open(all[at].href, "_blank", "noopener");
      else all[at].click();
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && (!inField(event.target) || !event.shiftKey)) {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-palette]")) open();
  });
}
