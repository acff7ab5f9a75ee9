// A place to drop a file ([data-drop]): says which file was chosen, refuses one over data-most before it is sent.
// A select with data-samples="id" shows, in the [data-sample] of its row, what that datalist has for the chosen heading.

/** A size as people read it. */
export function size(bytes) {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function chosen(input) {
  const zone = input.closest("[data-drop]");
  const field = input.closest(".field");
  const error = field.querySelector("[data-drop-error]");
  const name = zone.querySelector("[data-drop-name]");
  const file = input.files[0];
  zone.dataset.empty ??= name.textContent;
  const large = Boolean(file) && file.size > Number(input.dataset.most);
  if (large) input.value = "";
  name.textContent = file && !large ? file.name : zone.dataset.empty;
  zone.querySelector("[data-drop-size]").textContent = file && !large ? size(file.size) : "";
  error.hidden = !large;
  input.toggleAttribute("aria-invalid", large);
  if (large) {
    input.setAttribute("aria-invalid", "true");
    error.querySelector("span").textContent = error.dataset.dropError;
  }
}

export function startFiles() {
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches?.("[data-drop] input[type=file]")) chosen(field);
    if (field.matches?.("select[data-samples]")) {
      const samples = [...document.getElementById(field.dataset.samples).options];
      const place = field.closest("tr").querySelector("[data-sample]");
      place.textContent = samples.find((option) => option.value === field.value)?.textContent ?? "";
    }
  });
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => event.target.closest?.("[data-drop]")?.classList.toggle("is-over", over));
  }
}
