// SPDX-License-Identifier: BSD-2-Clause
// Light and dark: the style sheet has the colours, the charts read them there.

const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = [];
let printing = false;
let patterns = false;

export const onThemeChange = (listener) => listeners.push(listener);
const changed = () => listeners.forEach((listener) => listener());

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return !printing && (chosen ? chosen === "dark" : dark.matches);
}

export function toggleTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  changed();
}

// Patterns beside colours, for those who cannot tell the colours apart.
export const hasPatterns = () => patterns;
export function togglePatterns() {
  patterns = !patterns;
  changed();
  return patterns;
}

export function theme() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return { text: read("text"), muted: read("muted"), line: read("line"), surface: read("surface"), accent: read("accent"), warm: read("warm"), band: read("band") };
}

function print(on) {
  if (printing === on) return;
  printing = on;
  document.documentElement.classList.toggle("print", on);
  changed();
}

dark.addEventListener("change", changed);
window.addEventListener("beforeprint", () => print(true));
window.addEventListener("afterprint", () => print(false));
