// Arithmetic in amount fields: 1200/12*3 becomes 300.00 on leaving the field. Exact: fractions of BigInt, never floats.

const gcd = (a, b) => { while (b) [a, b] = [b, a % b]; return a < 0n ? -a : a; };
const make = (n, d) => { const g = gcd(n, d) || 1n; return d < 0n ? { n: -n / g, d: -d / g } : { n: n / g, d: d / g }; };

function number(text) {
  const [whole, part = ""] = text.split(".");
  return make(BigInt(whole + part || "0"), 10n ** BigInt(part.length));
}

/** Parse + - * / ( ) and numbers; null when it is not a sum, has more than 60 signs or divides by zero. */
export function evaluate(source) {
  const text = source.replace(/[×x]/g, "*").replace(/[÷:]/g, "/").replace(/−/g, "-").replace(/\s+/g, "");
  if (!text || text.length > 60 || !/^[\d.+\-*/()]+$/.test(text)) return null;
  let at = 0;
  const eat = (sign) => (text[at] === sign ? ++at : 0);
  function factor() {
    if (eat("-")) { const value = factor(); return value && make(-value.n, value.d); }
    if (eat("(")) { const value = sum(); return value && eat(")") ? value : null; }
    const found = /^(\d+(\.\d*)?|\.\d+)/.exec(text.slice(at));
    if (!found) return null;
    at += found[0].length;
    return number(found[0]);
  }
  function product() {
    let left = factor();
    while (left && (text[at] === "*" || text[at] === "/")) {
      const divide = text[at++] === "/";
      const right = factor();
      if (!right || (divide && right.n === 0n)) return null;
      left = divide ? make(left.n * right.d, left.d * right.n) : make(left.n * right.n, left.d * right.d);
    }
    return left;
  }
  function sum() {
    let left = product();
    while (left && (text[at] === "+" || text[at] === "-")) {
      const minus = text[at++] === "-";
      const right = product();
      if (!right) return null;
      left = make(left.n * right.d + (minus ? -right.n : right.n) * left.d, left.d * right.d);
    }
    return left;
  }
  const value = sum();
  return value && at === text.length ? value : null;
}

/** Half away from zero at `places` decimals, as text: {n:1n,d:3n}, 2 -> "0.33". */
export function toDecimal({ n, d }, places) {
  const scaled = (n < 0n ? -n : n) * 10n ** BigInt(places);
  const whole = (2n * scaled + d) / (2n * d);
  const digits = whole.toString().padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return n < 0n && whole !== 0n ? `-${text}` : text;
}

/** The result as the field writes it, or null when there is nothing to work out. */
export function result(source, places, mark) {
  const plain = mark === "," ? source.replaceAll(".", "").replaceAll(",", ".") : source.replaceAll(",", "");
  if (!/[+\-*/×÷x:−(]/.test(plain.replace(/^\s*[-−]/, "").trim())) return null;
  const value = evaluate(plain);
  return value && toDecimal(value, places).replace(".", mark);
}

export function startSums() {
  const read = (field) => result(field.value, Number(field.dataset.places ?? 2), field.dataset.mark || ".");
  const put = (field) => {
    const text = read(field);
    if (text === null) return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-amount]")) return;
    const shown = document.getElementById(event.target.dataset.result);
    if (shown) shown.textContent = read(event.target) ? `= ${read(event.target)}` : "";
  });
  document.addEventListener("focusout", (event) => { if (event.target.matches("[data-amount]")) put(event.target); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("[data-amount]") && read(event.target) !== null) {
      event.preventDefault();
      put(event.target);
    }
  });
}
