// Keyboard layer: / search, g + letter go to, j/k/Enter/x/a rows, ? the sheet, and every key printed on a button.
import { inField, layered, make } from "./dom.js";

const GO_MS = 1200;
/** At once: a page that still glides after one key ends where that key sent it, whatever came after. */
const NEAREST = { block: "nearest", behavior: "instant" };
let waitsForGo = 0;

const visible = (element) => element.getClientRects().length > 0;
const find = (selector) => [...document.querySelectorAll(selector)].find(visible);

/** The element that owns a printed key, e.g. data-key="n" on “New invoice”. */
function owner(key) {
  return find(`[data-key="${CSS.escape(key)}"]:not([disabled], [aria-disabled="true"], [aria-busy="true"])`);
}

function go(letter) {
  const link = document.querySelector(`a[data-go="${CSS.escape(letter)}"]`);
  if (link) link.click();
  return Boolean(link);
}

const rows = () => [...document.querySelectorAll("[data-rows] > tbody > tr:not(.msg, [data-skip])")].filter(visible);

function moveRow(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.findIndex((row) => row.classList.contains("cursor"));
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
  all[at]?.classList.remove("cursor");
  next.classList.add("cursor");
  next.scrollIntoView(NEAREST);
  // The link before the checkbox: Enter opens what has the focus, and in a checkbox it would send the form.
  (next.querySelector("a.t-id, a[href]") ?? next.querySelector("input[type=checkbox]") ?? next).focus({ preventScroll: true });
  return true;
}

function onRow(act) {
  const row = rows().find((candidate) => candidate.classList.contains("cursor"));
  if (!row) return false;
  if (act === "Enter") row.querySelector("a.t-id, a[href]")?.click();
  else row.querySelector("input[type=checkbox]")?.click();
  return true;
}

/** From any row to what can be done with the chosen ones: their bar stands before all rows. */
function toBulk() {
  const first = find(".bulk button:not([disabled])");
  first?.focus({ preventScroll: true });
  first?.scrollIntoView(NEAREST);
  return Boolean(first);
}

/** Fill the sheet with what this page offers right now. */
function fillSheet(sheet) {
  const list = sheet.querySelector("[data-sheet=page]");
  const entries = [...document.querySelectorAll("[data-key]")].filter(visible);
  const seen = new Set();
  list.replaceChildren();
  for (const entry of entries) {
    if (seen.has(entry.dataset.key) || entry.dataset.key === "/") continue; // "/" stands under Everywhere
    seen.add(entry.dataset.key);
    const label = entry.dataset.keyLabel || entry.getAttribute("aria-label") || textWithoutKeys(entry);
    list.append(make("dt", "", make("kbd", "", entry.dataset.key)), make("dd", "", label));
  }
  sheet.querySelector("[data-sheet-for=page]").hidden = seen.size === 0;
  const places = sheet.querySelector("[data-sheet=go]");
  places.replaceChildren();
  for (const link of document.querySelectorAll("a[data-go]")) {
    places.append(make("dt", "", make("kbd", "", "g"), " ", make("kbd", "", link.dataset.go)), make("dd", "", link.dataset.label || textWithoutKeys(link)));
  }
}

function textWithoutKeys(element) {
  const copy = element.cloneNode(true);
  for (const key of copy.querySelectorAll("kbd, .nav-n, .visually-hidden")) key.remove();
  return copy.textContent.trim();
}

export function openSheet() {
  const sheet = document.getElementById("shortcut-sheet");
  if (!sheet || sheet.open) return false;
  fillSheet(sheet);
  sheet.showModal();
  return true;
}

function act(event) {
  const { key } = event;
  if (waitsForGo > Date.now() && /^[a-z0-9]$/.test(key)) {
    waitsForGo = 0;
    return go(key);
  }
  waitsForGo = 0;
  if (key === "g" && document.querySelector("a[data-go]")) {
    waitsForGo = Date.now() + GO_MS;
    return true;
  }
  if (key === "?") return openSheet();
  const own = /^[a-z0-9/.,]$/.test(key) ? owner(key) : null;
  if (own) {
    if (inField(own)) own.focus(); // a click made by a script gives a field no focus
    else own.click();
    return true;
  }
  if (key === "j" || key === "k") return moveRow(key === "j" ? 1 : -1);
  if (key === "x") return onRow("x");
  if (key === "a") return toBulk();
  if (key === "Enter" && !event.target.closest?.("a, button, summary, input")) return onRow("Enter");
  return false;
}

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (inField(event.target) || layered()) return;
    if (act(event)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-sheet]")) openSheet();
  });
}
