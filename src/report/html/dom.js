// SPDX-License-Identifier: BSD-2-Clause
// The page is built by these alone: what comes from the run becomes text nodes and attributes, never markup.

// An element: attributes that are null or false are left out, children that are null too; strings become text.
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const ROWS_SHOWN = 25;

function cell(column, row) {
  const value = column.get(row);
  const missing = value === null || value === undefined;
  return el("td", { class: column.text ? null : "number" }, missing ? el("span", { class: "missing", title: "not measured" }, "n/a") : value);
}

// columns: [{ name, get(row) -> string, text: left-aligned, title }]. Long tables show their first rows, and a button for the rest.
export function table(columns, rows, caption) {
  const body = el("tbody", {}, rows.slice(0, ROWS_SHOWN).map((row) => el("tr", {}, columns.map((column) => cell(column, row)))));
  const head = el("tr", {}, columns.map((column) => el("th", { scope: "col", class: column.text ? null : "number", title: column.title }, column.name)));
  const whole = el("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", {}, caption), el("thead", {}, head), body));
  if (rows.length <= ROWS_SHOWN) return whole;
  const more = el("button", { type: "button", class: "more" }, `Show all ${rows.length} rows`);
  more.addEventListener("click", () => {
    body.append(...rows.slice(ROWS_SHOWN).map((row) => el("tr", {}, columns.map((column) => cell(column, row)))));
    more.remove();
  });
  whole.append(more);
  return whole;
}
