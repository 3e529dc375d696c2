// SPDX-License-Identifier: BSD-2-Clause
// Where the mean request's time goes, level by level.
import { addChart, axis, legend, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { micros, share } from "./format.js";
import { levelName } from "./levels.js";
import { colour, order } from "./states.js";

const OUTSIDE = "outside";
const OUTSIDE_WORDS = "before its first read, and streaming";

// Per level: microseconds by part. The end to end time less the service time is what a request spends before it is read and after.
function parts(level) {
  const budget = level.states_per_request_us;
  if (!budget) return null;
  const service = Object.values(budget).reduce((sum, value) => sum + (value ?? 0), 0);
  const total = level.latency_ms && level.latency_ms.mean !== null ? level.latency_ms.mean * 1e3 : null;
  return { ...budget, [OUTSIDE]: total === null ? null : Math.max(0, total - service) };
}

export function addBudget(section, report, course) {
  const levels = report.levels.map((level) => ({ name: levelName(level), parts: parts(level) })).filter((level) => level.parts);
  const keys = [OUTSIDE, "handoff", ...order(course)].filter((key) => levels.some((level) => (level.parts[key] ?? 0) > 0));
  if (!levels.length || !keys.length) {
    section.append(el("p", { class: "nothing" }, "No request was followed from its first read to its answer, so there is nothing to divide."));
    return;
  }
  const total = (level) => keys.reduce((sum, key) => sum + (level.parts[key] ?? 0), 0);
  const words = (key) => (key === OUTSIDE ? OUTSIDE_WORDS : key);
  addChart(section, {
    id: "budget", title: "Mean time of a request, by what it was spent on", patterns: true, height: 340,
    note: "Service time by what the serving thread was doing between first read and first write.",
    about: `${levels.length} levels. At ${levels.at(-1).name} a request takes ${micros(total(levels.at(-1)))}.`,
    option: (colours) => ({
      grid: { left: 12, right: 16, top: 58, bottom: 34, containLabel: true },
      legend: legend(colours),
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, formatter: (items) => tip(levels[items[0].dataIndex].name, items.filter((item) => item.value > 0).reverse()
        .map((item) => [item.seriesName, `${micros(item.value)} · ${share(item.value / total(levels[item.dataIndex]))}`, item.color])) },
      xAxis: axis(colours, { type: "category", data: levels.map((level) => level.name), name: "load", nameLocation: "middle", nameGap: 26, splitLine: { show: false } }),
      yAxis: axis(colours, { type: "value", name: "time per request", nameTextStyle: { align: "left", color: colours.muted }, axisLabel: { color: colours.muted, formatter: micros } }),
      series: keys.map((key) => ({ name: words(key), type: "bar", stack: "time", barMaxWidth: 56, itemStyle: { color: colour(key) }, emphasis: { focus: "series" },
        data: levels.map((level) => level.parts[key] ?? 0) })),
    }),
    numbers: table([{ name: "load", text: true, get: (level) => level.name }, { name: "mean", get: (level) => micros(total(level)) },
      ...keys.map((key) => ({ name: words(key), get: (level) => micros(level.parts[key]) }))], levels, "Mean time of a request by level"),
  });
}
