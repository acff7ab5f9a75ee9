// Date fields: t today, + and - a day, m and h first and last day of the month. The page says what today is (data-today).

const iso = (date) => date.toISOString().slice(0, 10);
const utc = (year, month, day) => new Date(Date.UTC(year, month, day));

/** The date after a key, as YYYY-MM-DD; null when the key means nothing here. */
export function shift(value, key, today) {
  const from = new Date(`${value || today}T00:00:00Z`);
  if (Number.isNaN(from.getTime())) return null;
  const [year, month, day] = [from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate()];
  switch (key) {
    case "t": return today;
    case "+": case "=": return iso(utc(year, month, day + 1));
    case "-": case "−": return iso(utc(year, month, day - 1));
    case "m": return iso(utc(year, month, 1));
    case "h": return iso(utc(year, month + 1, 0));
    default: return null;
  }
}

/** Today of the organization when the page tells it, else of this browser. */
function today() {
  const told = document.documentElement.dataset.today;
  if (told) return told;
  const now = new Date();
  return iso(utc(now.getFullYear(), now.getMonth(), now.getDate()));
}

export function startDates() {
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!field.matches?.("input[type=date]") || field.readOnly || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = shift(field.value, event.key, today());
    if (next === null) return;
    event.preventDefault();
    if ((field.min && next < field.min) || (field.max && next > field.max)) return;
    field.value = next;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
