// SPDX-License-Identifier: BSD-2-Clause
// Throughput and latency over the load, with the model: its curve, its band, and the knee.
import { addChart, axis, legend, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { count, millis, rate } from "./format.js";
import { levelName, loadWords, placed } from "./levels.js";

const LATENCIES = [["p99", "#d55e00"], ["p90", "#e6a700"], ["p50", "#009e73"], ["mean", "#8d7cc9"]];

// The throughput at a load, by kind of model and its parameters.
const KINDS = {
  linear: (n, p) => p.lambda * n,
  hard_cap: (n, p) => Math.min(p.lambda * n, p.cap_rps),
  usl: (n, p) => (p.lambda * n) / (1 + p.sigma * (n - 1) + p.kappa * n * (n - 1)),
};

// [load, throughput, low, high] along the curve; null without a model.
function curve(model) {
  const kind = model && KINDS[model.kind];
  if (!kind) return null;
  const points = model.band.map((point) => [point.load, kind(point.load, model), point.low_rps, point.high_rps]);
  const corner = model.kind === "hard_cap" ? model.cap_rps / model.lambda : NaN; // between two points it would be cut off
  const after = points.findIndex(([load]) => load > corner);
  if (after > 0) points.splice(after, 0, [corner, model.cap_rps, null, null]);
  return points;
}

function modelWords(model) {
  if (!model || model.kind === "none") return model && model.why ? `No model: ${model.why}.` : "";
  const name = { linear: "linear growth", hard_cap: "a hard cap", usl: "the Universal Scalability Law" }[model.kind] ?? model.kind;
  const peak = model.peak_identified && model.peak_throughput_rps !== null ?
    ` Knee: ${rate(model.peak_throughput_rps)} at a load of ${count(model.peak_concurrency)}${model.peak_measured ? "" : ", beyond what was measured"}.` : " The peak is not identified.";
  const fit = model.r_squared === null || model.r_squared === undefined ? "" : `, R² ${model.r_squared.toFixed(3)}`;
  return `Curve: ${name}${fit}. Band: 95 % of its bootstrap.${peak}`;
}

function knee(model, colours) {
  if (!model || !model.peak_identified || model.peak_concurrency === null) return [];
  return [{ type: "line", name: "knee", data: [], markLine: { symbol: "none", silent: true, lineStyle: { color: colours.muted, type: "dashed" }, label: { formatter: "knee", color: colours.muted, align: "left" },
    data: [{ xAxis: model.peak_concurrency }] } }];
}

function throughput(parent, report, levels) {
  const { model } = report;
  const most = levels.at(-1).load;
  const line = curve(model);
  const banded = (line ?? []).filter(([, , low, high]) => low !== null && high !== null);
  const client = levels.filter((level) => level.client && level.client.throughput_rps !== null);
  addChart(parent, {
    id: "throughput", title: "Throughput over load", note: modelWords(model), height: 250,
    about: levels.map((level) => `${rate(level.throughput_rps)} at ${levelName(level)}`).join(", "),
    option: (colours) => ({
      grid: { left: 64, right: 20, top: 44, bottom: 38 }, legend: legend(colours, { left: "auto", data: ["measured", ...(client.length ? ["load generator's own"] : []), ...(line ? ["model"] : [])] }),
      tooltip: { trigger: "item", formatter: ({ value, name, seriesName }) => tip(name || seriesName, [["requests/s", rate(value[1])], ["load", count(value[0])]]) },
      xAxis: axis(colours, { type: "value", min: 0, max: Math.ceil(most * 1.05), name: loadWords(report), nameLocation: "middle", nameGap: 24, splitLine: { show: false } }),
      yAxis: axis(colours, { type: "value", min: 0, name: "requests/s", nameTextStyle: { align: "right", color: colours.muted }, axisLabel: { color: colours.muted, formatter: count } }),
      series: [
        ...(line ? [
          { name: "low", type: "line", stack: "band", silent: true, symbol: "none", lineStyle: { width: 0 }, data: banded.map(([n, , low]) => [n, low]), tooltip: { show: false } },
          { name: "band", type: "line", stack: "band", stackStrategy: "all", silent: true, symbol: "none", lineStyle: { width: 0 }, areaStyle: { color: colours.accent, opacity: 0.16 },
            data: banded.map(([n, , low, high]) => [n, high - low]), tooltip: { show: false } },
          { name: "model", type: "line", symbol: "none", lineStyle: { color: colours.accent, width: 2 }, itemStyle: { color: colours.accent }, data: line.map(([n, x]) => [n, x]) }] : []),
        { name: "measured", type: line ? "scatter" : "line", symbol: "circle", symbolSize: 9, itemStyle: { color: colours.warm }, lineStyle: { color: colours.warm }, z: 5,
          data: levels.map((level) => ({ name: levelName(level), value: [level.load, level.throughput_rps] })) },
        ...(client.length ? [{ name: "load generator's own", type: "scatter", symbol: "diamond", symbolSize: 8, itemStyle: { color: "transparent", borderColor: colours.text, borderWidth: 1.5 }, z: 6,
          data: client.map((level) => ({ name: levelName(level), value: [level.load, level.client.throughput_rps] })) }] : []),
        ...knee(model, colours),
      ],
    }),
    numbers: table([
      { name: "level", text: true, get: levelName }, { name: "load", get: (level) => count(level.load) }, { name: "seconds", get: (level) => count(level.seconds) },
      { name: "requests/s", get: (level) => count(level.throughput_rps) }, { name: "in flight", get: (level) => count(level.in_flight) },
      ...LATENCIES.map(([name]) => ({ name, get: (level) => (level.latency_ms ? millis(level.latency_ms[name]) : null) })),
      { name: "generator's own", get: (level) => (level.client ? rate(level.client.throughput_rps) : null) },
    ], levels, "Levels of the load"),
  });
}

function latency(parent, report, levels) {
  const timed = levels.filter((level) => level.latency_ms && level.latency_ms.p99 !== null);
  if (!timed.length) return;
  addChart(parent, {
    id: "latency-load", title: "Latency over load", height: 230, note: "End to end, on a logarithmic scale.",
    about: timed.map((level) => `p99 ${millis(level.latency_ms.p99)} at ${levelName(level)}`).join(", "),
    option: (colours) => ({
      grid: { left: 64, right: 20, top: 44, bottom: 38 }, legend: legend(colours, { left: "auto" }),
      tooltip: { trigger: "axis", formatter: (items) => tip(`load ${count(items[0].value[0])}`, items.map((item) => [item.seriesName, millis(item.value[1]), item.color])) },
      xAxis: axis(colours, { type: "value", min: 0, max: Math.ceil(levels.at(-1).load * 1.05), name: loadWords(report), nameLocation: "middle", nameGap: 24, splitLine: { show: false } }),
      yAxis: axis(colours, { type: "log", name: "latency", nameTextStyle: { align: "right", color: colours.muted }, axisLabel: { color: colours.muted, formatter: millis } }),
      series: LATENCIES.map(([name, color]) => ({ name, type: "line", symbol: "circle", symbolSize: 6, itemStyle: { color }, lineStyle: { color, width: name === "p99" ? 2.5 : 1.5, type: name === "mean" ? "dashed" : "solid" },
        data: timed.filter((level) => level.latency_ms[name] > 0).map((level) => [level.load, level.latency_ms[name]]) })),
    }),
    numbers: table([{ name: "level", text: true, get: levelName }, ...LATENCIES.map(([name]) => ({ name, get: (level) => millis(level.latency_ms[name]) })),
      { name: "generator's own p99", get: (level) => (level.client ? millis(level.client.p99_ms) : null) }], timed, "Latency by level"),
  });
}

// What there is to say of a run of one level.
function oneLevel(parent, level) {
  const facts = [["Throughput", rate(level.throughput_rps)], ["In flight", count(level.in_flight)], ["Latency, mean", level.latency_ms && millis(level.latency_ms.mean)],
    ["Latency, p99", level.latency_ms && millis(level.latency_ms.p99)], ["Recorded", `${count(level.seconds)} s`]].filter(([, value]) => value);
  parent.append(el("div", { class: "single" }, el("h3", {}, levelName(level)), el("dl", { class: "figures" }, facts.map(([name, value]) => el("div", { class: "figure" }, el("dt", {}, name), el("dd", {}, value)))),
    el("p", { class: "nothing" }, "One level of load draws no curve. ", el("code", {}, "headroom sweep"), " records several.")));
}

export function addScaling(parent, report) {
  const levels = placed(report);
  if (levels.length > 1) {
    throughput(parent, report, levels);
    latency(parent, report, levels);
  } else if (report.levels.length) {
    oneLevel(parent, levels[0] ?? report.levels[0]);
  }
}

