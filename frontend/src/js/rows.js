// Tables with a bulk bar: the head's checkbox, shift for ranges, and the count in the bar. Cursor follows the focus.
let last = null;

function update(table) {
  const boxes = [...table.querySelectorAll("tbody .ck input[type=checkbox]")];
  const chosen = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest("tr").classList.toggle("sel", box.checked);
  const all = table.querySelector("thead .ck input[type=checkbox]");
  if (all) {
    all.checked = boxes.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
  const bar = document.getElementById(table.dataset.bulk);
  if (!bar) return;
  bar.hidden = chosen.length === 0;
  const every = bar.querySelector("[data-choose-every]");
  // All that match are chosen only while the whole page is.
  const whole = boxes.length > 0 && chosen.length === boxes.length;
  if (every) {
    if (!whole) setEvery(bar, false);
    every.hidden = !whole || isEvery(bar);
  }
  const count = bar.querySelector("[data-chosen]");
  if (count) count.textContent = isEvery(bar) ? every.dataset.chooseEvery : String(chosen.length);
}

const isEvery = (bar) => bar.querySelector("input[name=every]")?.value === "1";

function setEvery(bar, on) {
  bar.querySelector("input[name=every]").value = on ? "1" : "";
}

export function startRows() {
  document.addEventListener("click", (event) => {
    const clear = event.target.closest("[data-clear-rows]");
    if (clear) {
      for (const table of document.querySelectorAll("[data-rows]")) {
        table.querySelectorAll(".ck input[type=checkbox]").forEach((box) => { box.checked = false; });
        update(table);
      }
      return;
    }
    const every = event.target.closest("[data-choose-every]");
    if (every) {
      const bar = every.closest(".bulk");
      setEvery(bar, true);
      document.querySelectorAll(`[data-rows][data-bulk="${CSS.escape(bar.id)}"]`).forEach(update);
      return;
    }
    const box = event.target.closest("[data-rows] .ck input[type=checkbox]");
    if (!box) return;
    const table = box.closest("[data-rows]");
    const boxes = [...table.querySelectorAll("tbody .ck input[type=checkbox]")];
    if (box.closest("thead")) for (const each of boxes) each.checked = box.checked;
    else if (event.shiftKey && last && boxes.includes(last)) {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
    }
    last = box;
    update(table);
  });
  const fresh = () => document.querySelectorAll("[data-rows]").forEach(update);
  document.addEventListener("htmx:afterSettle", fresh);
  fresh();
}
