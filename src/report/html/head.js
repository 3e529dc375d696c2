// SPDX-License-Identifier: BSD-2-Clause
// Which run this is, from which host and kernel.
import { el } from "./dom.js";
import { seconds } from "./format.js";
import { togglePatterns, toggleTheme } from "./theme.js";

function facts(run) {
  const started = run.started ? `${run.started.replace("T", " ").slice(0, 19)} UTC` : "start not known";
  return [
    ["Host", run.host], ["Kernel", [run.kernel, run.arch].filter(Boolean).join(" ")], ["CPUs", run.cpus], ["Recorded", `${seconds(run.seconds) ?? "nothing"} from ${started}`],
    ["Run", run.run_id],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
}

export function addHead(page, report) {
  const { run } = report;
  const patterns = el("button", { type: "button", "aria-pressed": "false" }, "Patterns");
  patterns.addEventListener("click", () => patterns.setAttribute("aria-pressed", String(togglePatterns())));
  document.title = `${run.target ?? "run"} on ${run.host ?? "?"} – Headroom report`;
  page.append(el("header", {},
    el("div", { class: "brand" }, el("span", {}, "Headroom"), el("div", { class: "buttons" }, patterns, el("button", { type: "button", onclick: toggleTheme }, "Light / dark"))),
    el("p", { class: "target" }, run.target ?? "target not known"),
    el("dl", { class: "facts" }, facts(run).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))))));
}

export function addFoot(page, report) {
  page.append(el("footer", {}, el("p", {}, `Recorded by headroom ${report.run.headroom_version ?? "?"}. The page is one file, loads nothing and sends nothing; its numbers are those of `,
    el("code", {}, "headroom report --format json"), ". Charts by Apache ECharts (Apache License 2.0, in this file's source).")));
}
