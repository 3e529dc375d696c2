// SPDX-License-Identifier: BSD-2-Clause
// How full each resource is at each level of the load.
import { addChart, axis, legend, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { micros, share } from "./format.js";
import { levelName } from "./levels.js";

const SHOWN = 10;
const COLOURS = ["#1f77b4", "#d55e00", "#009e73", "#cc6fa1", "#e6a700", "#6cb8ea", "#8d7cc9", "#a87b00", "#76808a", "#5fcfae"];
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "pin"];

// The resources over all levels, the fullest first: { name, kind, at: by level }.
function collect(levels) {
  const all = new Map();
  levels.forEach((level, i) => {
    for (const resource of level.resources ?? []) {
      if (!all.has(resource.name)) all.set(resource.name, { name: resource.name, kind: resource.kind, at: levels.map(() => null) });
      all.get(resource.name).at[i] = resource;
    }
  });
  const most = (resource) => Math.max(...resource.at.map((one) => (one && one.utilisation) ?? 0));
  return [...all.values()].sort((a, b) => most(b) - most(a));
}

function series(resources) {
  return resources.map((resource, i) => ({
    name: resource.name, type: "line", symbol: SYMBOLS[i % SYMBOLS.length], symbolSize: 7, itemStyle: { color: COLOURS[i % COLOURS.length] },
    lineStyle: { color: COLOURS[i % COLOURS.length], width: 2 }, connectNulls: false, data: resource.at.map((one) => (one ? one.utilisation : null)),
  }));
}

export function addResources(section, report) {
  const { levels } = report;
  const resources = collect(levels);
  if (!resources.length) {
    section.append(el("p", { class: "nothing" }, "No resource was measured."));
    return;
  }
  const shown = resources.slice(0, SHOWN);
  const single = levels.length === 1;
  const names = levels.map(levelName);
  const left = resources.length - shown.length;
  addChart(section, {
    id: "resources", title: "Utilisation by level", height: single ? 60 + 30 * shown.length : 360,
    note: `Share of the time in which it was busy; at 100 % it cannot give more. ${left > 0 ? `The ${SHOWN} fullest of ${resources.length}.` : ""}`,
    about: shown.slice(0, 3).map((resource) => `${resource.name} up to ${share(Math.max(...resource.at.map((one) => (one && one.utilisation) ?? 0)))}`).join(", "),
    option: (colours) => (single ? {
      grid: { left: 8, right: 60, top: 8, bottom: 28, containLabel: true },
      tooltip: { formatter: ({ name, value }) => tip(name, [["utilisation", share(value)]]) },
      xAxis: axis(colours, { type: "value", min: 0, max: 1, axisLabel: { color: colours.muted, formatter: (value) => `${value * 100} %` } }),
      yAxis: axis(colours, { type: "category", inverse: true, data: shown.map((resource) => resource.name), axisLabel: { color: colours.text, width: 190, overflow: "truncate" } }),
      series: [{ type: "bar", barMaxWidth: 18, itemStyle: { color: colours.accent }, label: { show: true, position: "right", color: colours.text, formatter: ({ value }) => share(value) ?? "" }, data: shown.map((resource) => resource.at[0].utilisation) }],
    } : {
      grid: { left: 12, right: 16, top: 46, bottom: 34, containLabel: true }, legend: legend(colours),
      tooltip: { trigger: "axis", formatter: (items) => tip(names[items[0].dataIndex], items.filter((item) => item.value !== null && item.value !== undefined).sort((a, b) => b.value - a.value).map((item) => [item.seriesName, share(item.value), item.color])) },
      xAxis: axis(colours, { type: "category", data: names, boundaryGap: false, name: "load", nameLocation: "middle", nameGap: 26, splitLine: { show: false } }),
      yAxis: axis(colours, { type: "value", min: 0, max: (value) => Math.max(1, value.max), axisLabel: { color: colours.muted, formatter: (value) => `${Math.round(value * 100)} %` } }),
      series: series(shown),
    }),
    numbers: table([{ name: "resource", text: true, get: (row) => row.name }, { name: "kind", text: true, get: (row) => row.kind },
      ...levels.flatMap((level, i) => [{ name: `at ${levelName(level)}`, get: (row) => (row.at[i] ? share(row.at[i].utilisation) : null) }]),
      { name: "demand per request", title: "at the last level", get: (row) => (row.at.at(-1) ? micros(row.at.at(-1).demand_us) : null) }], resources, "Utilisation of resources by level"),
  });
}
