// Builds static/dist/: app.js, theme.js, app.css with its fonts, the fonts of PDF, sprite.svg, and the licences of all that.
import { build, context } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static", "dist");
const watch = process.argv.includes("--watch");

/** Names of every icon a template asks for by a literal name, so that a missing one fails the build. */
async function usedIcons(folder) {
  const names = new Set();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".html")) continue;
    const text = await readFile(join(entry.parentPath ?? entry.path, entry.name), "utf8");
    for (const tag of text.matchAll(/<c-icon\b[^>]*?\sname="([a-z0-9-]+)"/g)) names.add(tag[1]);
    for (const tag of text.matchAll(/\sicon(?:-end)?="([a-z0-9-]+)"/g)) names.add(tag[1]);
  }
  return names;
}

/** One sprite: Tabler's outlines as #i-<name>, our state marks as #g-<name>. */
async function sprite() {
  const names = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  const missing = [...(await usedIcons(join(here, "..", "templates")))].filter((name) => !names.includes(name));
  if (missing.length) throw new Error(`Add to frontend/icons.json: ${missing.join(", ")}`);
  const symbols = [];
  for (const name of names) {
    const svg = await readFile(join(here, "node_modules/@tabler/icons/icons/outline", `${name}.svg`), "utf8");
    const paths = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "").replace(/\s+/g, " ").trim();
    symbols.push(
      `<symbol id="i-${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round">${paths}</symbol>`,
    );
  }
  const glyphs = (await readFile(join(here, "src/glyphs.svg"), "utf8")).replace(/<\/?svg[^>]*>/g, "").replaceAll('id="', 'id="g-');
  const head = "<!-- Icons: Tabler Icons, MIT; see LICENSES.txt. State marks: this project. -->";
  await writeFile(join(out, "sprite.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${head}\n${symbols.join("\n")}\n${glyphs.trim()}\n</svg>\n`);
  return names.length;
}

/** Inter cut to the weights of document_pdf.css, for core/pdf_worker.py; pages take the variable font of app.css. */
async function printed() {
  const from = join(here, "node_modules/@fontsource/inter");
  const { subsets } = JSON.parse(await readFile(join(from, "metadata.json"), "utf8"));
  const names = subsets.flatMap((subset) => [400, 600].map((weight) => `inter-${subset}-${weight}-normal.woff2`));
  await mkdir(join(out, "fonts"), { recursive: true });
  await Promise.all(names.map((name) => copyFile(join(from, "files", name), join(out, "fonts", name))));
  return names.length;
}

/** The full licence texts beside the files, as their terms ask. */
async function licences() {
  const texts = [];
  for (const name of ["@tabler/core", "@tabler/icons", "@fontsource-variable/inter", "@fontsource/inter"]) {
    const folder = join(here, "node_modules", name);
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const holder = typeof about.author === "string" ? about.author : (about.author?.name ?? "its authors");
    const body = file ? await readFile(join(folder, file), "utf8") : `${about.license} licence. Copyright ${holder}. See app.css.LEGAL.txt.`;
    texts.push(`${name} ${about.version}\n${"=".repeat(60)}\n${body.trim()}\n`);
  }
  await writeFile(join(out, "LICENSES.txt"), texts.join("\n\n"));
}

const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: !watch,
  outdir: out,
  legalComments: "linked",
  sourcemap: watch ? "inline" : false,
  logLevel: "warning",
};
const scripts = { ...shared, format: "iife", target: "es2022", entryPoints: [{ in: "src/js/app.js", out: "app" }, { in: "src/js/theme.js", out: "theme" }] };
// No target here: light-dark() and oklch() must reach the browser as they are.
const styles = { ...shared, entryPoints: [{ in: "src/app.css", out: "app" }], loader: { ".woff2": "file" }, assetNames: "fonts/[name]-[hash]" };

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
if (watch) {
  for (const options of [scripts, styles]) await (await context(options)).watch();
  await sprite();
  await printed();
  console.log("watching");
} else {
  await Promise.all([build(scripts), build(styles)]);
  const icons = await sprite();
  const cuts = await printed();
  await licences();
  console.log(`static/dist: app.js, theme.js, app.css, sprite.svg (${icons} icons), ${cuts} fonts of PDF`);
}
