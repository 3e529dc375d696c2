// SPDX-License-Identifier: BSD-2-Clause
// The page of several hosts: what limits them, who is unlike the others, and what they do together, level by level.
import { addChart, axis, legend, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { headline } from "./first.js";
import { count, millis, percent, plural, rate, seconds } from "./format.js";

const STACKED_MAX = 12; // hosts that can be told apart by colour
const COLOURS = ["#1f77b4", "#e6a700", "#009e73", "#d55e00", "#8d7cc9", "#6cb8ea", "#93406f", "#5fcfae", "#f29e6b", "#00664a", "#cc6fa1", "#a87b00"];
const WHOLE = "whole runs";

const levelName = (level) => level.level ?? WHOLE;
const hostName = (host) => host.host ?? host.path;
const levelsOf = (fleet) => (fleet.levels.length ? fleet.levels : [fleet.total]);
const numberOfHosts = (fleet) => fleet.host_count ?? fleet.hosts.length;

// The level with the most throughput of all together.
const best = (fleet) => levelsOf(fleet).reduce((most, level) => ((level.throughput_rps ?? -1) > (most.throughput_rps ?? -1) ? level : most));

export function fleetHead(fleet) {
  const started = Math.min(...fleet.hosts.map((host) => host.started_unix_ms).filter((value) => value !== null));
  const targets = [...new Set(fleet.hosts.map((host) => host.target))];
  const names = fleet.hosts.map(hostName);
  return {
    title: `${numberOfHosts(fleet)} hosts`,
    target: `${names.slice(0, 6).join(", ")}${names.length > 6 ? ` and ${numberOfHosts(fleet) - 6} more` : ""}`,
    facts: [
      ["Hosts", numberOfHosts(fleet)], ["Begun", Number.isFinite(started) ? `${new Date(started).toISOString().replace("T", " ").slice(0, 19)} UTC, within ${seconds(fleet.started_spread_s)}` : null],
      ["All recorded for", seconds(fleet.overlap_s)], ["Target", targets.length === 1 ? targets[0] : null],
    ],
  };
}

// "All 3 hosts: ...", "2 of 3 hosts: ...": the verdict that most have, and its subject where it is one.
function common(fleet) {
  const [kind, hosts] = Object.entries(fleet.verdicts).sort((a, b) => b[1] - a[1])[0];
  const alike = fleet.hosts.filter((host) => host.verdict.class === kind);
  const one = (key) => (new Set(alike.map((host) => host.verdict[key])).size === 1 ? alike[0].verdict[key] : null);
  const advice = one("advice") ?? (alike.length && alike[0].verdict.advice ? `On ${hostName(alike[0])}: ${alike[0].verdict.advice}` : null);
  return { kind, hosts, subject: one("subject"), advice, action: one("action") };
}

function alarms(fleet) {
  const lossy = fleet.hosts.filter((host) => host.lossy).map(hostName);
  const all = [];
  if (!fleet.at_once) all.push("The runs are not of the same time: what adds up below was never there at once.");
  if (lossy.length) all.push(`Data was lost above the limit on ${lossy.join(", ")}: see the report of each.`);
  return all.map((words) => el("p", { class: "alarm", role: "alert" }, words));
}

function offWords(fleet, at) {
  const host = fleet.hosts[at];
  const words = levelsOf(fleet).flatMap((level) => {
    const of = level.by_host[at];
    const where = level.level === null ? "" : ` at ${level.level}`;
    return [["throughput", of.throughput_off_share], ["p99", of.latency_p99_off_share]].filter(([, value]) => value !== null).map(([name, value]) => `${name} ${percent(value)}${where}`);
  });
  return [...words, ...(host.verdict_off ? [`verdict ${host.verdict.class}`] : [])].join(", ");
}

function unlike(fleet) {
  if (numberOfHosts(fleet) < 3) return el("p", { class: "note" }, "Who is unlike the others takes three hosts to tell.");
  const off = fleet.hosts.map((host, at) => [host, at]).filter(([host]) => host.off);
  if (!off.length) return el("p", { class: "note" }, "No host is unlike the others.");
  return el("div", {}, el("h2", {}, "Unlike the others"), el("dl", { class: "evidence" }, off.map(([host, at]) => el("div", {}, el("dt", {}, hostName(host)), el("dd", {}, offWords(fleet, at))))));
}

function figures(fleet) {
  const level = best(fleet);
  const figure = (name, value, note) => (value === null || value === undefined ? null : el("div", { class: "figure" }, el("dt", {}, name), el("dd", {}, value, note ? el("small", {}, note) : null)));
  return el("dl", { class: "figures" },
    figure("All together", rate(level.throughput_rps), level.level === null ? null : `at level ${level.level}, ${plural(level.hosts, "host")}`),
    figure("Limits together", rate(fleet.limit_rps), "the sum of the hosts’"),
    figure("p99 of all requests", millis(level.latency_ms.p99), "from the merged histograms"));
}

function hostsTable(fleet) {
  const level = best(fleet);
  return table([
    { name: "host", text: true, get: ({ host }) => [host.off ? el("span", { class: "subject", title: "unlike the others" }, "● ") : null, hostName(host)].filter(Boolean) },
    { name: "verdict", text: true, get: ({ host }) => `${host.verdict.class}${host.verdict.subject ? `: ${host.verdict.subject}` : ""}` },
    { name: "sure", title: "confidence", get: ({ host }) => (host.verdict.class === "inconclusive" ? "–" : `${Math.round(host.verdict.confidence * 100)} %`) },
    { name: "throughput", get: ({ of }) => rate(of.throughput_rps) }, { name: "p99", get: ({ of }) => millis(of.latency_p99_ms) },
    { name: "limit", get: ({ host }) => rate(host.verdict.limit_rps) },
  ], fleet.hosts.map((host, at) => ({ host, of: level.by_host[at] })), `Hosts${level.level === null ? "" : ` at level ${level.level}`}; ● unlike the others`);
}

function addVerdict(section, fleet) {
  const of = common(fleet);
  const whole = numberOfHosts(fleet);
  const words = el("div", { class: "words" }, alarms(fleet), el("p", { class: "class" }, of.kind),
    el("h1", { class: "headline" }, `${of.hosts === whole ? `All ${whole}` : `${of.hosts} of ${whole}`} hosts: `, headline({ class: of.kind, subject: of.subject })), figures(fleet));
  if (of.advice) words.append(el("p", { class: "advice" }, of.advice, of.action ? el("small", {}, ` Action: ${of.action}.`) : null));
  const others = Object.entries(fleet.verdicts).filter(([kind]) => kind !== of.kind);
  if (others.length) words.append(el("p", { class: "note" }, `Other verdicts: ${others.map(([kind, n]) => `${kind} on ${n}`).join(", ")}.`));
  words.append(unlike(fleet), hostsTable(fleet));
  const charts = el("div", { class: "charts" });
  section.append(words, charts);
  addThroughput(charts, fleet);
  addLatency(charts, fleet);
}

const categories = (colours, levels) => axis(colours, { type: "category", data: levels.map(levelName), name: levels[0].level === null ? "" : "level of load, of each host", nameLocation: "middle", nameGap: 26, splitLine: { show: false } });

function addThroughput(parent, fleet) {
  const levels = levelsOf(fleet);
  const stacked = fleet.hosts.length <= STACKED_MAX && fleet.hosts.length === numberOfHosts(fleet);
  addChart(parent, {
    id: "fleet-throughput", title: "Throughput of all hosts together", height: 260, patterns: true, note: `${stacked ? "By host; it adds up." : ""}${fleet.levels.length ? "" : " Nobody marked levels of load: all of each run is taken, with what was before, between and after loads."}`,
    about: levels.map((level) => `${rate(level.throughput_rps)} at ${levelName(level)}`).join(", "),
    option: (colours) => ({
      grid: { left: 64, right: 20, top: 58, bottom: 40 }, legend: stacked ? legend(colours, { icon: "roundRect" }) : { show: false },
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, formatter: (items) => tip(levelName(levels[items[0].dataIndex]),
        [["all", rate(levels[items[0].dataIndex].throughput_rps)], ...(stacked ? items.map((item) => [item.seriesName, rate(item.value), item.color]) : [])]) },
      xAxis: categories(colours, levels),
      yAxis: axis(colours, { type: "value", min: 0, name: "requests/s", nameTextStyle: { align: "right", color: colours.muted }, axisLabel: { color: colours.muted, formatter: count } }),
      series: stacked ? fleet.hosts.map((host, at) => ({ name: hostName(host), type: "bar", stack: "hosts", barMaxWidth: 56, itemStyle: { color: COLOURS[at] }, data: levels.map((level) => level.by_host[at].throughput_rps) })) :
        [{ name: "all", type: "bar", barMaxWidth: 56, itemStyle: { color: colours.accent }, data: levels.map((level) => level.throughput_rps) }],
    }),
    numbers: table([{ name: "level", text: true, get: levelName }, { name: "hosts", get: (level) => count(level.hosts) }, { name: "throughput", get: (level) => rate(level.throughput_rps) }, { name: "in flight", get: (level) => count(level.in_flight) },
      ...["mean", "p50", "p90", "p99"].map((key) => ({ name: key, get: (level) => millis(level.latency_ms[key]) }))], [...fleet.levels, fleet.total], "All hosts together by level"),
  });
}

// A point for each host at each level, those that are unlike the others in their own colour, and a line of all requests together.
function addLatency(parent, fleet) {
  const levels = levelsOf(fleet);
  if (levels.every((level) => level.latency_ms.p99 === null)) return;
  const dots = (off) => levels.flatMap((level, x) => level.by_host.map((of, at) => ({ of, at, x })).filter(({ of, at }) => of.latency_p99_ms > 0 && fleet.hosts[at].off === off)
    .map(({ of, at, x }) => ({ name: hostName(fleet.hosts[at]), value: [x, of.latency_p99_ms] })));
  const hosts = (name, off, color) => ({ name, type: "scatter", symbolSize: 9, itemStyle: { color, opacity: 0.8 }, data: dots(off) });
  addChart(parent, {
    id: "fleet-latency", title: "Latency by host", height: 250, note: "99th percentile, end to end, on a logarithmic scale.",
    about: levels.map((level) => `p99 ${millis(level.latency_ms.p99)} at ${levelName(level)}`).join(", "),
    option: (colours) => ({
      grid: { left: 64, right: 20, top: 58, bottom: 40 }, legend: legend(colours),
      tooltip: { trigger: "item", formatter: ({ name, seriesName, value }) => tip(name || seriesName, [["p99", millis(value[1])], ["level", levelName(levels[value[0]])]]) },
      xAxis: categories(colours, levels),
      yAxis: axis(colours, { type: "log", name: "p99", nameTextStyle: { align: "right", color: colours.muted }, axisLabel: { color: colours.muted, formatter: millis } }),
      series: [
        { name: "all requests", type: "line", symbol: "none", lineStyle: { color: colours.muted, type: "dashed" }, itemStyle: { color: colours.muted }, data: levels.map((level, x) => [x, level.latency_ms.p99]) },
        hosts("hosts", false, colours.accent), ...(fleet.hosts.some((host) => host.off) ? [hosts("unlike the others", true, colours.warm)] : []),
      ],
    }),
    numbers: table([{ name: "host", text: true, get: (row) => row.name }, ...levels.map((level) => ({ name: levelName(level), get: (row) => millis(level.by_host[row.at].latency_p99_ms) }))],
      fleet.hosts.map((host, at) => ({ name: hostName(host), at })), "99th percentile of each host by level"),
  });
}

function addRuns(section, fleet) {
  const left = numberOfHosts(fleet) - fleet.hosts.length;
  section.append(table([
    { name: "host", text: true, get: hostName }, { name: "file", text: true, get: (host) => host.path }, { name: "target", text: true, get: (host) => host.target }, { name: "kernel", text: true, get: (host) => host.kernel },
    { name: "begun", text: true, get: (host) => (host.started_unix_ms === null ? null : new Date(host.started_unix_ms).toISOString().slice(11, 23)) }, { name: "recorded", get: (host) => seconds(host.seconds) }, { name: "run", text: true, get: (host) => host.run_id },
  ], fleet.hosts, "A file each"));
  section.append(el("p", { class: "note" }, left > 0 ? `${left} more hosts are in the numbers of all, and in the JSON report. ` : "", "What is in each run, “headroom report FILE --format html” shows."));
}

const PARTS = [
  { id: "runs", title: "Runs", add: addRuns },
];

export function addFleet(page, fleet, addPart) {
  const first = el("section", { id: "verdict" });
  page.append(el("nav", { "aria-label": "Parts of the report" }, el("a", { href: "#verdict" }, "Verdict"), PARTS.map((part) => el("a", { href: `#${part.id}` }, part.title))), first);
  addVerdict(first, fleet);
  for (const part of PARTS) part.add(addPart(page, part), fleet);
}
