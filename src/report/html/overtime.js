// SPDX-License-Identifier: BSD-2-Clause
// What the threads did over time, with the throughput above it and the levels of the load behind both.
import { addChart, axis, legend, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { count, rate, seconds, share } from "./format.js";
import { colour, meanings, order } from "./states.js";

const TABLE_ROWS = 400;
const GRID = { left: 62, right: 22, outerBoundsMode: "none" }; // one above the other, in line

// A point in the middle of its time, and an empty one where recording was off, so that no line crosses it.
function points(series, values) {
  const all = [];
  values.forEach((value, i) => {
    if (i && series.start_us[i] > series.end_us[i - 1] + 1) all.push([series.end_us[i - 1] / 1e6, null]);
    all.push([(series.start_us[i] + series.end_us[i]) / 2e6, value]);
  });
  return all;
}

export function markAreas(marks, colours, endUs) {
  return {
    silent: true, label: { color: colours.muted, position: "insideTop", fontSize: 11 },
    data: marks.map((mark, i) => [{ name: mark.level, xAxis: mark.measured_us / 1e6, itemStyle: { color: i % 2 ? "transparent" : colours.band } }, { xAxis: (mark.end_us ?? endUs) / 1e6 }]),
  };
}

export function addStates(section, report, course) {
  const { series, marks } = course;
  const states = order(course).filter((state) => series.threads[state]);
  if (!series.start_us.length || !states.length) {
    section.append(el("p", { class: "nothing" }, "The run has no interval in which a thread lived."));
    return;
  }
  const endUs = series.end_us.at(-1);
  const hasRequests = series.throughput_rps.some((value) => value !== null);
  const meanOf = (state) => series.threads[state].reduce((sum, value) => sum + (value ?? 0), 0) / series.start_us.length;
  const merged = series.intervals_per_point > 1.01 ? ` A point is the mean of ${Math.round(series.intervals_per_point)} intervals.` : "";
  const grids = hasRequests ? [{ ...GRID, top: 56, height: 74 }, { ...GRID, top: 168, bottom: 62 }] : [{ ...GRID, top: 56, bottom: 62 }];
  const low = grids.length - 1;
  const sampleRows = series.start_us.map((_, i) => i).filter((i) => series.start_us.length <= TABLE_ROWS || i % Math.ceil(series.start_us.length / TABLE_ROWS) === 0);

  addChart(section, {
    id: "states", title: "Threads by state", patterns: true, height: hasRequests ? 480 : 380,
    note: `Number of threads in each state${hasRequests ? ", and requests per second above" : ""}.${marks.length ? " Bands are the measured part of the levels of load." : ""}${merged} Choose states in the legend; drag the bar below to look closer.`,
    about: `Over ${seconds(endUs / 1e6)}. On the average ${states.map((state) => `${count(meanOf(state))} threads in ${state}`).join(", ")}.`,
    option: (colours) => ({
      grid: grids, legend: legend(colours, { data: states, icon: "roundRect" }),
      axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: colours.muted } },
      tooltip: { trigger: "axis", formatter: (items) => {
        const total = items.filter((item) => item.seriesId !== "throughput").reduce((sum, item) => sum + (item.value[1] ?? 0), 0);
        return tip(`at ${seconds(items[0].value[0])}`, items.filter((item) => item.value[1]).map((item) => (item.seriesId === "throughput" ? [item.seriesName, rate(item.value[1]), item.color] :
          [item.seriesName, `${count(item.value[1])} · ${share(item.value[1] / total)}`, item.color])));
      } },
      dataZoom: [{ type: "slider", xAxisIndex: grids.map((_, i) => i), bottom: 6, height: 18, borderColor: colours.line, textStyle: { color: colours.muted }, labelFormatter: (value) => seconds(value) ?? "" }],
      xAxis: grids.map((_, i) => axis(colours, { gridIndex: i, type: "value", min: series.start_us[0] / 1e6, max: endUs / 1e6, splitLine: { show: false },
        axisLabel: { show: i === low, color: colours.muted, hideOverlap: true, formatter: (value) => `${Number(value.toFixed(2))} s` } })),
      yAxis: grids.map((_, i) => axis(colours, { gridIndex: i, type: "value", name: i === low ? "threads" : "requests/s", nameTextStyle: { color: colours.muted, align: "right" },
        splitNumber: i === low ? 5 : 2, axisLabel: { color: colours.muted, formatter: (value) => count(value) } })),
      series: [
        ...(hasRequests ? [{ id: "throughput", name: "requests/s", type: "line", xAxisIndex: 0, yAxisIndex: 0, showSymbol: series.start_us.length === 1, lineStyle: { width: 1.5, color: colours.accent },
          itemStyle: { color: colours.accent }, data: points(series, series.throughput_rps), markArea: markAreas(marks, colours, endUs) }] : []),
        ...states.map((state, i) => ({ id: state, name: state, type: "line", stack: "states", xAxisIndex: low, yAxisIndex: low, showSymbol: series.start_us.length === 1, lineStyle: { width: 0 },
          itemStyle: { color: colour(state) }, areaStyle: { color: colour(state), opacity: 1 }, emphasis: { disabled: true }, data: points(series, series.threads[state]),
          markArea: i === 0 ? { ...markAreas(marks, colours, endUs), label: { show: !hasRequests, color: colours.muted, position: "insideTop" } } : undefined })),
      ],
    }),
    numbers: table([{ name: "from", get: (i) => seconds(series.start_us[i] / 1e6) }, { name: "to", get: (i) => seconds(series.end_us[i] / 1e6) },
      ...(hasRequests ? [{ name: "requests/s", get: (i) => count(series.throughput_rps[i]) }, { name: "in flight", get: (i) => count(series.in_flight[i]) }] : []),
      ...states.map((state) => ({ name: state, get: (i) => count(series.threads[state][i]) }))], sampleRows, "Threads in each state over time"),
  });  section.append(meanings(course, states));
}
