// The grid of an editor: Enter goes to the next row and adds one, Ctrl+D copies a row, a paste from a sheet fills
// rows, Alt+arrows move one. What the lines come to is asked of the server; typing never waits for it.
const COLUMNS = ["description", "quantity", "unit_price", "tax_percent"];
const rowsOf = (table) => [...table.tBodies[0].rows].filter((row) => row.querySelector("[name=description]"));
const cell = (row, name) => row.querySelector(`[name=${name}]`);
const isEmpty = (row) => ["description", "quantity", "unit_price"].every((name) => !cell(row, name).value.trim());

function renumber(table) {
  rowsOf(table).forEach((row, n) => {
    for (const named of row.querySelectorAll("[data-label]")) named.setAttribute("aria-label", `${named.dataset.label} ${n + 1}`);
    row.querySelector("output").id = `amount-${n}`;
  });
}

function changed(table) {
  renumber(table);
  table.closest("form").dispatchEvent(new Event("lines"));
}

function add(table, after) {
  const rows = rowsOf(table);
  if (rows.length >= Number(table.dataset.max)) return null;
  const row = document.getElementById("line-row").content.cloneNode(true).querySelector("tr");
  (after ?? rows[rows.length - 1]).after(row);
  renumber(table);
  return row;
}

function drop(table, row) {
  const rows = rowsOf(table);
  const at = rows.indexOf(row);
  if (rows.length === 1) for (const name of COLUMNS) cell(row, name).value = "";
  else {
    if (row.nextElementSibling?.matches(".ed-msg")) row.nextElementSibling.remove();
    row.remove();
  }
  const left = rowsOf(table);
  cell(left[Math.min(at, left.length - 1)], "description").focus();
  changed(table);
}

function copy(table, row) {
  const fresh = add(table, row.nextElementSibling?.matches(".ed-msg") ? row.nextElementSibling : row);
  if (!fresh) return;
  for (const name of COLUMNS) cell(fresh, name).value = cell(row, name).value;
  cell(fresh, "description").focus();
  changed(table);
}

function move(table, row, by) {
  const rows = rowsOf(table);
  const other = rows[rows.indexOf(row) + by];
  if (!other) return;
  if (by < 0) other.before(row);
  else other.after(row);
  document.activeElement?.focus();
  changed(table);
}

function next(table, row, name) {
  const rows = rowsOf(table);
  const below = rows[rows.indexOf(row) + 1] ?? (isEmpty(row) ? null : add(table, row));
  if (below) cell(below, name).focus();
}

function paste(table, field, text) {
  let row = field.closest("tr");
  const from = Math.max(0, COLUMNS.indexOf(field.name));
  for (const line of text.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n")) {
    row ??= add(table);
    if (!row) break;
    line.split("\t").slice(0, COLUMNS.length - from).forEach((value, n) => { cell(row, COLUMNS[from + n]).value = value.trim(); });
    const rows = rowsOf(table);
    row = rows[rows.indexOf(row) + 1] ?? null;
  }
  const rows = rowsOf(table);
  if (!isEmpty(rows[rows.length - 1])) add(table);
  changed(table);
}

function keys(event, table, row) {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  if (event.key === "Enter" && plain) {
    event.preventDefault();
    next(table, row, event.target.name || "description");
  } else if (event.key.toLowerCase() === "d" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
    event.preventDefault();
    copy(table, row);
  } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    move(table, row, event.key === "ArrowUp" ? -1 : 1);
  }
}

export function startLines() {
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.("[data-lines] tbody tr");
    if (row && cell(row, "description") && event.target.matches("input")) keys(event, row.closest("table"), row);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const button = document.querySelector("[data-submit-key]:not([aria-disabled=true])");
      if (!button || document.querySelector("dialog:modal")) return;
      event.preventDefault();
      document.activeElement?.blur(); // a sum in the field is worked out on leaving it
      button.click();
    }
  });
  document.addEventListener("paste", (event) => {
    const field = event.target.closest?.("[data-lines] tbody input");
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!field || !/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    paste(field.closest("table"), field, text);
  });
  document.addEventListener("input", (event) => {
    const row = event.target.closest?.("[data-lines] tbody tr");
    if (!row) return;
    const rows = rowsOf(row.closest("table"));
    if (rows[rows.length - 1] === row && !isEmpty(row)) add(row.closest("table"));
  });
  document.addEventListener("click", (event) => {
    const dropped = event.target.closest("[data-drop-line]");
    if (dropped) drop(dropped.closest("table"), dropped.closest("tr"));
    if (event.target.closest("[data-add-line]")) {
      const table = document.querySelector("[data-lines]");
      const fresh = add(table);
      if (fresh) cell(fresh, "description").focus();
    }
  });
  // A refused act comes back with its dialog as it was.
  document.querySelector("dialog[data-show]")?.showModal();
}
