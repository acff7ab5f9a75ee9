import assert from "node:assert/strict";
import test from "node:test";
import { result } from "../src/js/sums.js";

const table = [
  ["1200/12*3", 2, ".", "300.00"],
  ["10/3", 2, ".", "3.33"],
  ["0.1+0.2", 2, ".", "0.30"],
  ["2.675*1", 2, ".", "2.68"],
  ["-2.675*1", 2, ".", "-2.68"],
  ["1.200,50+1", 2, ",", "1201,50"],
  ["1,200.50+1", 2, ".", "1201.50"],
  ["100/3", 0, ".", "33"],
  ["1/3", 3, ".", "0.333"],
  ["2*(3+4)-1", 2, ".", "13.00"],
  ["9007199254740993*10", 0, ".", "90071992547409930"],
  ["1/0", 2, ".", null],
  ["1200", 2, ".", null],
  ["-1200", 2, ".", null],
  ["1+", 2, ".", null],
  ["(1+2", 2, ".", null],
  ["alert(1)", 2, ".", null],
  ["1e5+1", 2, ".", null],
  ["-0.001*1", 2, ".", "0.00"],
];

for (const [typed, places, mark, expected] of table) {
  test(`${typed} with ${places} places is ${expected}`, () => assert.equal(result(typed, places, mark), expected));
}
