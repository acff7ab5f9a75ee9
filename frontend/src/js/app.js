import { startBell } from "./bell.js";
import { startCopy } from "./copy.js";
import { startDates } from "./dates.js";
import { startDialogs } from "./dialogs.js";
import { startDrawer } from "./drawer.js";
import { startFiles } from "./files.js";
import { startForms } from "./forms.js";
import { startKeys } from "./keys.js";
import { startLines } from "./lines.js";
import { startLive } from "./live.js";
import { startMenus } from "./menu.js";
import { startPalette } from "./palette.js";
import { startRows } from "./rows.js";
import { startSums } from "./sums.js";
import { startThemes } from "./themes.js";
import { startToasts } from "./toasts.js";

for (const start of [
  startThemes, startDrawer, startMenus, startBell, startDialogs, startFiles, startForms, startToasts, startLive, startSums, startLines, startDates, startRows, startCopy, startKeys, startPalette,
]) {
  start();
}
