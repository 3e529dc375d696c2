// SPDX-License-Identifier: BSD-2-Clause
// What each group of threads did with its time, and the processes that they belong to.
import { addChart, axis, legend, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { count, seconds, share } from "./format.js";
import { colour, order } from "./states.js";

const SHOWN = 20;

export function addThreads(section, report, course) {
  const groups = report.thread_groups.filter((group) => group.states_s);
  if (!groups.length) {
    section.append(el("p", { class: "nothing" }, "No thread was seen."));
    return;
  }
  const states = order(course).filter((state) => groups.some((group) => group.states_s[state] > 0));
  const part = (group, state) => (group.life_s ? (group.states_s[state] ?? 0) / group.life_s : 0);
  const shown = groups.slice(0, SHOWN);
  const left = (course.left_out.thread_groups ?? 0) + groups.length - shown.length;
  addChart(section, {
    id: "threads", title: "Share of their time in each state", patterns: true, height: 84 + 26 * shown.length,
    note: `Threads whose names differ in their last number are one group; those with the most CPU time first.${left ? ` ${left} groups are not drawn.` : ""}`,
    about: shown.slice(0, 3).map((group) => `${group.name}: ${states.map((state) => `${state} ${share(part(group, state))}`).slice(0, 3).join(", ")}`).join("; "),
    option: (colours) => ({
      grid: { left: 8, right: 20, top: 40, bottom: 8, containLabel: true }, legend: legend(colours),
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, formatter: (items) => tip(shown[items[0].dataIndex].name, [["threads", count(shown[items[0].dataIndex].threads)], ...items.filter((item) => item.value > 0).map((item) => [item.seriesName, share(item.value), item.color])]) },
      xAxis: axis(colours, { type: "value", min: 0, max: 1, axisLabel: { color: colours.muted, formatter: (value) => `${Math.round(value * 100)} %` } }),
      yAxis: axis(colours, { type: "category", inverse: true, data: shown.map((group) => `${group.name}${group.threads > 1 ? ` ×${group.threads}` : ""}`), axisLabel: { color: colours.text, width: 170, overflow: "truncate" }, splitLine: { show: false } }),
      series: states.map((state) => ({ name: state, type: "bar", stack: "life", barMaxWidth: 18, itemStyle: { color: colour(state) }, data: shown.map((group) => part(group, state)) })),
    }),
    numbers: table([{ name: "threads", text: true, get: (group) => group.name }, { name: "n", get: (group) => count(group.threads) }, { name: "life", get: (group) => seconds(group.life_s) },
      ...states.map((state) => ({ name: state, get: (group) => share(part(group, state)) })),
      { name: "switches", get: (group) => count((group.voluntary_switches ?? 0) + (group.involuntary_switches ?? 0)) }], groups, "States of groups of threads"),
  });
  section.append(table([
    { name: "pid", get: (process) => String(process.pid) }, { name: "name", text: true, get: (process) => process.name }, { name: "threads", get: (process) => count(process.threads) },
    { name: "on CPU", get: (process) => seconds(process.states_s ? process.states_s.user + (process.states_s.kernel ?? 0) : null) },
    { name: "threads on CPU at once", get: (process) => count(process.on_cpu_at_once_mean), title: "while any was" }, { name: "command", text: true, get: (process) => process.command ?? "–" },
  ], report.processes, `Processes${course.left_out.processes ? `; ${course.left_out.processes} more are in the JSON report` : ""}`));
  if (report.cpus.length) section.append(cpuTable(report.cpus));
}

const cpuTable = (cpus) => table([
  { name: "CPU", get: (cpu) => String(cpu.cpu) }, { name: "target", get: (cpu) => seconds(cpu.target_s) }, { name: "others", get: (cpu) => seconds(cpu.other_s) }, { name: "idle", get: (cpu) => seconds(cpu.idle_s) },
  { name: "hypervisor", get: (cpu) => seconds(cpu.steal_s) }, { name: "interrupts", get: (cpu) => seconds(cpu.irq_s) },
], cpus, "Who had each CPU");
