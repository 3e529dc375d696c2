// SPDX-License-Identifier: BSD-2-Clause
// Which run this is, from which host and kernel; and the foot of the page.
import { el } from "./dom.js";
import { seconds } from "./format.js";
import { togglePatterns, toggleTheme } from "./theme.js";

export function runHead(run) {
  const started = run.started ? `${run.started.replace("T", " ").slice(0, 19)} UTC` : "start not known";
  return {
    title: `${run.target ?? "run"} on ${run.host ?? "?"}`,
    target: run.target ?? "target not known",
    facts: [
      ["Host", run.host], ["Kernel", [run.kernel, run.arch].filter(Boolean).join(" ")], ["CPUs", run.cpus], ["Recorded", `${seconds(run.seconds) ?? "nothing"} from ${started}`],
      ["Run", run.run_id],
    ],
  };
}

export function addHead(page, { title, target, facts }) {
  const patterns = el("button", { type: "button", "aria-pressed": "false" }, "Patterns");
  patterns.addEventListener("click", () => patterns.setAttribute("aria-pressed", String(togglePatterns())));
  document.title = `${title} – Headroom report`;
  page.append(el("header", {},
    el("div", { class: "brand" }, el("span", {}, "Headroom"), el("div", { class: "buttons" }, patterns, el("button", { type: "button", onclick: toggleTheme }, "Light / dark"))),
    el("p", { class: "target" }, target),
    el("dl", { class: "facts" }, facts.filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))))));
}

export function addFoot(page, by) {
  page.append(el("footer", {}, el("p", {}, `${by}The page is one file, loads nothing and sends nothing; its numbers are those of `,
    el("code", {}, "headroom report --format json"), ". Charts by Apache ECharts (Apache License 2.0, in this file's source).")));
}
