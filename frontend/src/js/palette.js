// Command palette: Ctrl-K or / opens it. It lists the places of the sidebar and the acts of this page; with
// data-search on the dialog, hits of the server come under them (one GET with ?q=, an HTML fragment of .pal-i links).
import { icon, inField, make, word } from "./dom.js";

const DEBOUNCE_MS = 150;
const ASCII = /^[\x20-\x7e]*$/;

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
  const said = dialog.querySelector("[data-said]");
  const count = dialog.querySelector("[data-count]");
  let remote = [];
  let timer = 0;
  let asked = 0;
  let waits = false; // for the server's answer to what stands in the field
  let failed = false;
  let wanted = null; // Enter came first: open the first hit as soon as it is there
  let moved = ""; // id of the option that the arrows chose; an answer does not take it away

  // Hits of an earlier question stay in sight until the answer comes, but nobody opens them by accident.
  const options = () => [...list.querySelectorAll("[role=option]:not(.is-old)")];
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
    const words = input.value.replace(/^>\s*/, "").trim();
    const hits = localEntries().filter((entry) => matches(entry.label, words));
    const none = remote.some((each) => "none" in each.dataset);
    for (const each of remote) each.classList.toggle("is-old", waits);
    list.replaceChildren(...(none ? [] : remote));
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
    const empty = !list.querySelector("[role=option]");
    if (failed) said.textContent = word("searchFailed");
    else if (none && !waits) said.textContent = remote.map((each) => each.textContent).join(" ");
    else said.textContent = empty ? word(waits ? "searching" : "noHits") : "";
    said.classList.toggle("bad", failed);
    list.hidden = empty;
    input.setAttribute("aria-expanded", String(!empty));
    list.setAttribute("aria-busy", String(waits));
    const found = options().length;
    count.textContent = waits ? word("searching") : found === 1 ? word("hit") : word("hits").replace("{n}", found);
    select(options().find((option) => option.id === moved) ?? options()[0]);
  }

  const query = () => input.value.trim();
  const isAsked = () => Boolean(dialog.dataset.search) && !query().startsWith(">") && query().length >= (ASCII.test(query()) ? 2 : 1);

  function settle(hits, problem = false) {
    [remote, failed, waits] = [hits, problem, false];
    draw();
    const open = wanted;
    wanted = null;
    if (open && options().length) follow(options()[0], open.newTab);
  }

  function follow(option, newTab) {
    if (newTab && option.href) window.open(option.href, "_blank", "noopener");
    else option.click();
  }

  async function ask() {
    const mine = asked;
    try {
      const answer = await fetch(`${dialog.dataset.search}?q=${encodeURIComponent(query())}`, { headers: { "X-Requested-With": "fetch" } });
      if (mine !== asked) return;
      // Redirected means signed out meanwhile: that page is no list of hits.
      if (!answer.ok || answer.redirected) return settle([], true);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine === asked) settle([...page.body.children]);
    } catch {
      if (mine === asked) settle([], true);
    }
  }

  const open = () => {
    if (dialog.open) return;
    input.value = "";
    clearTimeout(timer);
    asked += 1;
    [remote, waits, failed, wanted, moved] = [[], false, false, null, ""];
    dialog.showModal();
    draw();
    input.focus();
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    asked += 1;
    [waits, failed, wanted, moved] = [isAsked(), false, null, ""];
    if (waits) timer = setTimeout(ask, DEBOUNCE_MS);
    else remote = [];
    draw();
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
      const next = all[(at + step + all.length) % all.length];
      moved = next?.id ?? "";
      select(next);
      event.preventDefault();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      const newTab = event.ctrlKey || event.metaKey;
      if (waits && !moved) wanted = { newTab };
      else if (all[at]) follow(all[at], newTab);
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
