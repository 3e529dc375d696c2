// SPDX-License-Identifier: BSD-2-Clause
// How long requests took over time: a cell per span of time and of latency, darker the more ended there.
import { addChart, axis, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { count, micros, seconds } from "./format.js";
import { markAreas } from "./overtime.js";

const LIGHT = ["#e8f1fa", "#b3d0ea", "#6ba6d6", "#2a78b8", "#0b4a80", "#07294a"];
const DARK = ["#12304a", "#16507c", "#2276b4", "#4fa3dd", "#9ccdf2", "#eaf6ff"];

// A colour of the scale for a share of its length.
function shade(scale, at) {
  const place = Math.min(0.9999, Math.max(0, at)) * (scale.length - 1);
  const from = Math.floor(place);
  const parse = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const [a, b] = [parse(scale[from]), parse(scale[from + 1])];
  return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * (place - from))).join(",")})`;
}

export function addHeatmap(section, report, course) {
  const { heatmap, marks } = course;
  if (!heatmap) {
    section.append(el("p", { class: "nothing" }, "No request was seen from its first byte to its last, so there is no latency over time."));
    return;
  }
  const most = heatmap.cells.reduce((max, cell) => Math.max(max, cell[2]), 1);
  const bound = (row) => Math.max(heatmap.row_us[row], 0.5);
  const all = heatmap.cells.reduce((sum, cell) => sum + cell[2], 0);
  const rows = heatmap.row_us.slice(0, -1).map((_, row) => ({ row, n: heatmap.cells.filter((cell) => cell[1] === row).reduce((sum, cell) => sum + cell[2], 0) }));
  const endUs = heatmap.end_us.at(-1);

  addChart(section, {
    id: "heatmap", title: "End to end latency of requests", height: 360,
    note: `${count(all)} requests by when they ended and how long they took; the stronger the colour, the more (logarithmic, up to ${count(most)} in a cell).`,
    about: `${count(all)} requests between ${micros(heatmap.row_us[0])} and ${micros(heatmap.row_us.at(-1))}.`,
    option: (colours, dark) => {
      const scale = dark ? DARK : LIGHT;
      return {
        grid: { left: 72, right: 22, top: 30, outerBoundsMode: "none", bottom: 34 },
        tooltip: { formatter: ({ value }) => tip(`${micros(value[2])} to ${micros(value[3])}`, [["requests", count(value[4])], ["ended", `${seconds(value[0])} to ${seconds(value[1])}`]]) },
        xAxis: axis(colours, { type: "value", min: heatmap.start_us[0] / 1e6, max: endUs / 1e6, splitLine: { show: false }, axisLabel: { color: colours.muted, hideOverlap: true, formatter: (value) => `${Number(value.toFixed(2))} s` } }),
        yAxis: axis(colours, { type: "log", logBase: 10, min: bound(0), max: Math.max(heatmap.row_us.at(-1), 1), name: "latency", nameTextStyle: { color: colours.muted, align: "right" },
          axisLabel: { color: colours.muted, showMinLabel: false, showMaxLabel: false, formatter: micros } }),
        series: [{ type: "custom", clip: true, encode: { x: [0, 1], y: [2, 3] }, data: heatmap.cells.map(([column, row, n]) => [heatmap.start_us[column] / 1e6, heatmap.end_us[column] / 1e6, bound(row), bound(row + 1), n]),
          renderItem: (params, api) => {
            const [x, y] = api.coord([api.value(0), api.value(3)]);
            const [right, bottom] = api.coord([api.value(1), api.value(2)]);
            return { type: "rect", shape: { x, y, width: Math.max(1, right - x + 0.5), height: Math.max(1, bottom - y) },
              style: { fill: shade(scale, Math.log1p(api.value(4)) / Math.log1p(most)) } };
          } },
        { type: "line", data: [], silent: true, markArea: markAreas(marks, colours, endUs) }],
      };
    },
    numbers: table([{ name: "from", get: ({ row }) => micros(heatmap.row_us[row]) }, { name: "to", get: ({ row }) => micros(heatmap.row_us[row + 1]) }, { name: "requests", get: ({ n }) => count(n) }],
      rows.filter(({ n }) => n), "Requests by latency, over the run"),
  });
}
