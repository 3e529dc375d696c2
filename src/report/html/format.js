// SPDX-License-Identifier: BSD-2-Clause
// Numbers for people: three significant digits, a unit, and null for what was not measured.

const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

function scaled(value, units) {
  let at = 0;
  while (at + 1 < units.length && Math.abs(value) >= 999.5 * units[at][0]) at++;
  return `${digits(value / units[at][0])} ${units[at][1]}`;
}

export function count(value) {
  if (!known(value)) return null;
  if (Number.isInteger(value) && Math.abs(value) < 10000) return String(value);
  if (Math.abs(value) < 999.5) return digits(value).replace(/\.?0+$/, "");
  return scaled(value / 1e3, [[1, "k"], [1e3, "M"], [1e6, "G"], [1e9, "T"]]);
}

export const rate = (value) => (known(value) ? `${value < 9999.5 && value >= 100 ? Math.round(value).toLocaleString("en") : count(value)}/s` : null);

export function micros(value) {
  if (!known(value)) return null;
  if (value === 0) return "0";
  if (Math.abs(value) < 1) return `${Math.round(value * 1000)} ns`;
  return scaled(value, [[1, "µs"], [1e3, "ms"], [1e6, "s"], [6e7, "min"], [3.6e9, "h"]]);
}

export const millis = (value) => (known(value) ? micros(value * 1e3) : null);
export const seconds = (value) => (known(value) ? micros(value * 1e6) : null);

export function share(value) {
  if (!known(value)) return null;
  if (value === 0) return "0 %";
  return Math.abs(value) < 0.0005 ? "<0.1 %" : `${(value * 100).toFixed(1)} %`;
}

export const bytes = (value) => (known(value) ? (value < 1000 ? `${value} B` : scaled(value / 1e3, [[1, "kB"], [1e3, "MB"], [1e6, "GB"], [1e9, "TB"]])) : null);

export function percent(value) {
  return known(value) ? `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(value * 100).toFixed(0)} %` : null;
}

// A quantity with the unit that the report gives it.
export function quantity(value, unit) {
  if (!known(value)) return null;
  if (unit === "share") return share(value);
  if (unit && unit.startsWith("us")) return `${micros(value)}${unit.slice(2)}`;
  if (unit === "elasticity" || unit === "CPUs") return `${(Math.abs(value) < 0.005 ? 0 : value).toFixed(2)}${unit === "CPUs" ? " CPUs" : ""}`;
  if (unit === "times") return `${value.toFixed(2)}×`;
  return unit ? `${count(value)} ${unit}`.replace(" 1/s", "/s") : count(value);
}

export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
