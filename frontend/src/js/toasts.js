// Toasts: Django messages are on the page already; later ones come as the htmx event {"toast": {"text": …, "tone": …}}.
import { icon, make } from "./dom.js";

const SHOWN_MS = 8000;
const ICONS = { ok: "circle-check", info: "info-circle", warn: "alert-triangle", bad: "alert-circle" };

function leaveLater(toast) {
  // A warning or error stays until it is closed; so does what a person is reading.
  if (toast.matches(".toast-warn, .toast-bad")) return;
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, 2000);
    else toast.remove();
  };
  setTimeout(leave, SHOWN_MS);
}

export function toast(text, tone = "ok") {
  const box = document.getElementById("toasts");
  if (!box) return;
  const close = make("button", "btn btn-sm btn-ghost btn-icon", icon("x"));
  close.type = "button";
  close.dataset.closeToast = "";
  close.setAttribute("aria-label", box.dataset.close);
  const item = make("div", `toast-x toast-${tone}`, icon(ICONS[tone] ?? ICONS.ok), make("span", "", text), close);
  box.append(item);
  leaveLater(item);
}

export function startToasts() {
  document.querySelectorAll("#toasts > .toast-x").forEach(leaveLater);
  document.addEventListener("click", (event) => event.target.closest("[data-close-toast]")?.closest(".toast-x").remove());
  document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.tone));
}
