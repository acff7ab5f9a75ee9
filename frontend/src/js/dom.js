// Small helpers shared by the modules.

/** True while the focus is where letters are text, so no key acts. */
export function inField(target) {
  // A field of a dialog that just closed keeps the focus for a moment; it is no longer where letters go.
  return target instanceof Element && target.checkVisibility() && Boolean(target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]"));
}

/** True while a dialog or an open menu owns the keyboard. */
export function layered() {
  return Boolean(document.querySelector("dialog:modal, .menu-x:popover-open, .bell-p:popover-open"));
}

/** A sprite icon without touching markup as text. */
export function icon(name) {
  const svgNs = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(svgNs, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(svgNs, "use");
  use.setAttribute("href", `${document.documentElement.dataset.sprite}#i-${name}`);
  svg.append(use);
  return svg;
}

/** Element with class names and children; strings become text. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Words for scripts, translated on the page: <template id="words" data-no-hits="…">. */
export function word(name) {
  return document.getElementById("words")?.dataset[name] ?? "";
}
