import assert from "node:assert/strict";
import test from "node:test";
import { shift } from "../src/js/dates.js";

const table = [
  ["2026-02-28", "+", "2026-03-01"],
  ["2024-02-28", "+", "2024-02-29"],
  ["2026-01-01", "-", "2025-12-31"],
  ["2026-11-23", "m", "2026-11-01"],
  ["2026-11-23", "h", "2026-11-30"],
  ["2026-12-05", "h", "2026-12-31"],
  ["", "t", "2026-11-23"],
  ["", "+", "2026-11-24"],
  ["2026-11-23", "q", null],
  ["not a date", "+", null],
];

for (const [value, key, expected] of table) {
  test(`${value || "empty"} ${key} is ${expected}`, () => assert.equal(shift(value, key, "2026-11-23"), expected));
}
