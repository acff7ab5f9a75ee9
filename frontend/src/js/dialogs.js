// data-open-dialog="id" opens a <dialog>; a click on the scrim or [data-close] leaves it. Focus returns by itself.
export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open-dialog]");
    if (opener) {
      document.getElementById(opener.dataset.openDialog)?.showModal();
      return;
    }
    const dialog = event.target.closest("dialog");
    if (dialog && event.target.closest("[data-close]")) dialog.close();
    else if (event.target instanceof HTMLDialogElement && event.target.matches(".dlg")) event.target.close();
  });
}
