// SPDX-License-Identifier: BSD-2-Clause
// A chart on the page: a figure that the keyboard reaches, and a table of its numbers below it.
import * as echarts from "echarts/core";
import { BarChart, CustomChart, GraphChart, LineChart, ScatterChart } from "echarts/charts";
import { AriaComponent, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";
import { el } from "./dom.js";
import { hasPatterns, isDark, onThemeChange, theme } from "./theme.js";

echarts.use([BarChart, CustomChart, GraphChart, LineChart, ScatterChart, AriaComponent, DataZoomComponent, GridComponent, LegendComponent,
  MarkAreaComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

// The hook for tests: what is drawn. headroomReport.charts[id] is the chart; its figure has data-points, the number of items in all series.
const charts = {};
window.headroomReport = { charts };

function countPoints(chart) {
  return chart.getModel().getSeries().reduce((sum, series) => sum + series.getData().count(), 0);
}

// Tooltips are elements too: a line each, with a spot of colour.
export function tip(head, lines) {
  return el("div", { class: "tip" }, el("strong", {}, head), lines.map(([name, value, color]) => {
    const spot = el("i", { class: "spot" });
    if (color) spot.style.background = color;
    return el("div", {}, color ? spot : null, el("span", {}, name), el("b", {}, value ?? "n/a"));
  }));
}

export function axis(colours, extra) {
  return {
    nameTextStyle: { color: colours.muted, fontFamily: FONT }, axisLabel: { color: colours.muted, fontFamily: FONT, hideOverlap: true },
    axisLine: { lineStyle: { color: colours.line } }, axisTick: { lineStyle: { color: colours.line } },
    splitLine: { lineStyle: { color: colours.line } }, ...extra,
  };
}

export function legend(colours, extra) {
  return { type: "scroll", top: 0, left: 0, right: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: colours.text, fontFamily: FONT },
    pageTextStyle: { color: colours.muted }, pageIconColor: colours.accent, inactiveColor: colours.line, ...extra };
}

function common(colours, spec) {
  const still = true; // numbers do not fly in
  return {
    animation: !still, textStyle: { fontFamily: FONT, color: colours.text }, backgroundColor: "transparent",
    aria: { enabled: true, label: { enabled: false }, decal: { show: hasPatterns() && spec.patterns === true } },
  };
}

const tooltip = (colours) => ({ confine: true, backgroundColor: colours.surface, borderColor: colours.line, textStyle: { color: colours.text, fontFamily: FONT, fontSize: 12 } });

// Arrow keys walk through the points of the first series, as the pointer would.
function walk(chart, event, at) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return at;
  const series = chart.getModel().getSeries();
  const most = Math.max(0, ...series.map((one) => one.getData().count()));
  const longest = series.findIndex((one) => one.getData().count() === most);
  if (most === 0) return at;
  event.preventDefault();
  const next = Math.min(most - 1, Math.max(0, at + step));
  chart.dispatchAction({ type: "showTip", seriesIndex: longest, dataIndex: next });
  return next;
}

// spec: { id, title, about: a sentence for those who cannot see it, height, option(colours) -> ECharts option, numbers: a table or null,
// tools: an element above it, keys(event) -> true if it was taken, ready(chart) }
export function addChart(parent, spec) {
  const canvas = el("div", { class: "canvas" });
  canvas.style.height = `${spec.height}px`;
  const plot = el("div", { class: "plot", role: "img", tabindex: "0", "aria-label": `${spec.title}. ${spec.about}` }, canvas);
  const figure = el("figure", { class: "chart", "data-chart": spec.id }, el("figcaption", {}, el("h3", {}, spec.title), spec.note ? el("p", {}, spec.note) : null),
    spec.tools ?? null, plot, spec.numbers ? el("details", {}, el("summary", {}, `Numbers: ${spec.title}`), spec.numbers) : null);
  parent.append(figure);

  const chart = echarts.init(canvas, null, { renderer: "canvas", devicePixelRatio: Math.max(2, window.devicePixelRatio) });
  const draw = () => {
    const colours = theme();
    const option = spec.option(colours, isDark());
    chart.setOption({ ...common(colours, spec), ...option, tooltip: { ...tooltip(colours), ...option.tooltip } }, true);
    figure.dataset.points = countPoints(chart);
  };
  draw();
  charts[spec.id] = chart;
  let at = -1;
  plot.addEventListener("keydown", (event) => {
    if (spec.keys && spec.keys(event)) event.preventDefault();
    else at = walk(chart, event, at);
  });
  plot.addEventListener("blur", () => chart.dispatchAction({ type: "hideTip" }));
  onThemeChange(draw);
  new ResizeObserver(() => {
    if (document.documentElement.classList.contains("print")) return;
    chart.resize();
    if (spec.resized) draw();
  }).observe(canvas);
  if (spec.ready) spec.ready(chart, draw);
  return chart;
}
