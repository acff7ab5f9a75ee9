// data-open-dialog="id" opens a <dialog>; a click on the scrim or [data-close] leaves it. The browser returns the focus
// to where it was, so it is put on the opener first: a printed key opens from anywhere, and Safari focuses no button.
export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open-dialog]");
    if (opener) {
      opener.focus({ preventScroll: true });
      const opened = document.getElementById(opener.dataset.openDialog);
      opened?.showModal();
      if (opened?.hasAttribute("hx-trigger")) window.htmx?.trigger(opened, "opened");
      return;
    }
    const dialog = event.target.closest("dialog");
    if (dialog && event.target.closest("[data-close]")) dialog.close();
    else if (event.target instanceof HTMLDialogElement && event.target.matches(".dlg")) event.target.close();
  });
}
