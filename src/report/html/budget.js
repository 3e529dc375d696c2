// SPDX-License-Identifier: BSD-2-Clause
// Where the mean request's time goes, level by level.
import { addChart, axis, legend, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { micros, share } from "./format.js";
import { levelName } from "./levels.js";
import { colour, meanings, order } from "./states.js";

// Stages outside of service time, and what of a whole is in no part. Each has the words that it is shown by.
const WORDS = {
  queue: "queue: until its first read", stream: "stream: first to last write of the answer",
  service: "service, not divided", unsplit: "not divided",
};
const LEAST = 0.005; // of the mean: what parts lack of their whole is worth a part of its own

// What is left of a whole: counted times of few requests may lack, or round, a little.
const left = (whole, parts, mean) => (whole !== null && whole - parts > LEAST * mean ? whole - parts : 0);

// Per level: microseconds by part, as they stand in the bar from below. The states of the serving thread are known for most
// requests: they divide the service time by their shares. A level without stages (calls of a function) has its service alone.
function parts(level) {
  const { states_per_request_us: budget, stages_ms: stages, latency_ms: latency } = level;
  const mean = latency && latency.mean !== null ? latency.mean * 1e3 : null;
  if (mean === null) return null;
  const stage = (name) => (stages && stages[name] && stages[name].mean !== null ? stages[name].mean * 1e3 : null);
  const states = budget ? Object.values(budget).reduce((sum, value) => sum + (value ?? 0), 0) : 0;
  const service = stage("service") ?? states;
  const all = Object.fromEntries(Object.entries(budget ?? {}).map(([state, value]) => [state, value === null || !states ? value : (value * service) / states]));
  const after = service + (stage("stream") ?? 0);
  const queue = stage("queue") === null ? null : Math.min(stage("queue"), Math.max(0, mean - after)); // it is also of reads that were never answered
  return { ...all, queue, stream: stage("stream"), service: states ? 0 : service, unsplit: left(mean, (queue ?? 0) + after, mean) };
}

export function addBudget(section, report, course) {
  const levels = report.levels.map((level) => ({ name: levelName(level), parts: parts(level) })).filter((level) => level.parts);
  const keys = ["queue", "handoff", ...order(course), "service", "stream", "unsplit"].filter((key) => levels.some((level) => (level.parts[key] ?? 0) > 0));
  if (!levels.length || !keys.length) {
    section.append(el("p", { class: "nothing" }, "No request was followed from its first read to its answer, so there is nothing to divide."));
    return;
  }
  const total = (level) => keys.reduce((sum, key) => sum + (level.parts[key] ?? 0), 0);
  const words = (key) => WORDS[key] ?? key;
  addChart(section, {
    id: "budget", title: "Mean time of a request, by what it was spent on", patterns: true, height: 340,
    note: "From below: how long it waits for its first read, then service by what the serving thread does until the first write of the answer, then sending the rest of it. Means over the requests of a level.",
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
  });  section.append(meanings(course, keys));
}
