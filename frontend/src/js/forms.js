// One submit is one request: the pressed button turns busy and keeps its width, a second submit is dropped.
const FORM = "form:not([method=dialog])";

export function busy(button, on) {
  if (!button) return;
  button.classList.toggle("is-busy", on);
  if (on) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
}

function release(form) {
  delete form.dataset.sending;
  for (const button of form.querySelectorAll(".is-busy")) busy(button, false);
  if (form.id) for (const button of document.querySelectorAll(`[form="${CSS.escape(form.id)}"].is-busy`)) busy(button, false);
}

export function startForms() {
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (!form.matches(FORM) || form.method === "get") return;
      if (form.dataset.sending) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      form.dataset.sending = "1";
      busy(event.submitter ?? form.querySelector("[type=submit], button:not([type])"), true);
    },
    true,
  );
  document.addEventListener("submit", (event) => {
    // Cancelled by the page itself: not sent, so not busy. htmx cancels too, but answers through its own events.
    if (event.defaultPrevented && !event.target.closest("[hx-post], [hx-put], [hx-patch], [hx-delete]")) release(event.target);
  });
  // Back to a kept page: it must not still look busy.
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(release));
  document.addEventListener("htmx:afterRequest", (event) => {
    const element = event.detail.elt;
    const form = element.closest("form");
    if (form) release(form);
    else busy(element, false);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    if (!element.matches("button, a.btn")) return;
    if (element.classList.contains("is-busy")) event.preventDefault();
    else busy(element, true);
  });
  document.addEventListener("click", (event) => {
    const element = event.target.closest("[aria-disabled=true], .is-busy");
    if (!element) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
