// SPDX-License-Identifier: BSD-2-Clause
// Who waits for whom: a directed graph, in which cycles are normal, and tables of the waits, of what they end in, and of locks.
import { addChart, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { count, micros, seconds, share } from "./format.js";
import { colour } from "./states.js";

const EDGES = 40;

// Who ended a wait, where it was no thread that has a name.
const SOURCES = { interrupt: "(an interrupt)", timeout: "(a timeout)", signal: "(a signal)", open: "(had not ended)", thread: "(several threads)", other: "(another process)", unknown: "(not known)" };
const target = (wait) => wait.waker ?? wait.subject ?? (wait.subject_kind ? `(${wait.subject_kind})` : SOURCES[wait.source] ?? `(${wait.source})`);

// Edges between names: the time of all waits of one for the other, its state that of most of them.
function edges(waits) {
  const all = new Map();
  for (const wait of waits) {
    const key = JSON.stringify([wait.waiter, target(wait), wait.state]);
    const edge = all.get(key) ?? { from: wait.waiter, to: target(wait), state: wait.state, seconds: 0, idle: 0, count: 0 };
    edge.seconds += wait.seconds ?? 0;
    edge.idle += wait.idle_s ?? 0;
    edge.count += wait.count ?? 0;
    all.set(key, edge);
  }
  const busy = (edge) => Math.max(0, edge.seconds - edge.idle);
  return [...all.values()].map((edge) => ({ ...edge, busy: busy(edge) })).sort((a, b) => b.busy - a.busy || b.seconds - a.seconds);
}

const ring = (edge, width) => (edge ? { borderColor: colour(edge.state), borderWidth: 1 + width(edge) } : {});

function nodeTip(name, own) {
  return tip(name, own ? [["for each other, in", own.state, colour(own.state)], ["waits", count(own.count)], ["time", seconds(own.seconds)], ["of it idle", seconds(own.idle)]] : []);
}

function graph(section, report) {
  const all = edges(report.waits);
  const shown = all.slice(0, EDGES);
  const most = Math.max(1e-9, ...shown.map((edge) => edge.busy));
  const waiters = new Set(report.waits.map((wait) => wait.waiter));
  const names = [...new Set(shown.flatMap((edge) => [edge.from, edge.to]))];
  const parallel = new Map();
  // several edges between two nodes bend differently, so that each is seen
  const bend = (edge) => {
    const key = JSON.stringify([edge.from, edge.to]);
    parallel.set(key, (parallel.get(key) ?? 0) + 1);
    return 0.12 + 0.12 * parallel.get(key);
  };
  const bent = shown.filter((edge) => edge.from !== edge.to).map((edge) => ({ ...edge, bend: bend(edge) }));
  // waits within a group are a ring around it
  const own = new Map(shown.filter((edge) => edge.from === edge.to).reverse().map((edge) => [edge.from, edge]));
  const width = (edge) => (edge.busy > 0 ? 1 + 7 * Math.sqrt(edge.busy / most) : 1);
  addChart(section, {
    id: "waits", title: "From the waiter to whom or what it waits for", height: Math.min(640, 320 + 14 * names.length),
    note: `The wider, the longer; idle waits (a pool without work) are thin and grey. Colours are the states. A ring around a group is its threads’ waits for each other.${all.length > shown.length ? ` The heaviest ${EDGES} of ${all.length}.` : ""}`,
    about: shown.slice(0, 4).map((edge) => `${edge.from} waits ${seconds(edge.busy)} for ${edge.to} in ${edge.state}`).join("; "),
    option: (colours) => ({
      tooltip: { formatter: (item) => (item.dataType === "edge" ? tip(`${bent[item.dataIndex].from} → ${bent[item.dataIndex].to}`,
        [["in", bent[item.dataIndex].state, colour(bent[item.dataIndex].state)], ["waits", count(bent[item.dataIndex].count)], ["time", seconds(bent[item.dataIndex].seconds)], ["of it idle", seconds(bent[item.dataIndex].idle)]]) : nodeTip(names[item.dataIndex], own.get(names[item.dataIndex]))) },
      series: [{
        type: "graph", layout: "circular", circular: { rotateLabel: false }, roam: false, left: 120, right: 120, top: 36, bottom: 36, edgeSymbol: ["none", "arrow"], edgeSymbolSize: 9,
        label: { show: true, position: "right", color: colours.text, width: 150, overflow: "truncate", textBorderColor: colours.surface, textBorderWidth: 3 },
        emphasis: { focus: "adjacency" },
        data: names.map((name, i) => ({ id: String(i), name: String(i), symbol: waiters.has(name) ? "circle" : "rect", symbolSize: waiters.has(name) ? 16 : 11,
          itemStyle: { color: waiters.has(name) ? colours.accent : colours.muted, ...ring(own.get(name), width) }, label: { formatter: () => name } })),
        links: bent.map((edge) => ({ source: names.indexOf(edge.from), target: names.indexOf(edge.to),
          symbolSize: [0, 7 + 1.8 * width(edge)], lineStyle: { width: width(edge), color: edge.busy > 0 ? colour(edge.state) : colours.muted, opacity: edge.busy > 0 ? 0.85 : 0.4, curveness: edge.bend } })),
      }],
    }),
    numbers: null,
  });
}

function waitTable(waits) {
  return table([
    { name: "waiter", text: true, get: (wait) => wait.waiter }, { name: "in", text: true, get: (wait) => wait.state },
    { name: "for", text: true, get: (wait) => wait.subject ?? wait.subject_kind ?? "–" }, { name: "ended by", text: true, get: (wait) => wait.waker ?? SOURCES[wait.source] ?? wait.source },
    { name: "waits", get: (wait) => count(wait.count) }, { name: "time", get: (wait) => seconds(wait.seconds) }, { name: "of it idle", get: (wait) => seconds(wait.idle_s) },
    { name: "of its life", get: (wait) => share(wait.share_of_time) }, { name: "p50", get: (wait) => micros(wait.p50_us) }, { name: "p99", get: (wait) => micros(wait.p99_us) },
    { name: "meanwhile the waker", text: true, get: (wait) => (wait.waker_states ? Object.entries(wait.waker_states).sort((a, b) => b[1] - a[1]).slice(0, 3).map(([state, part]) => `${state === "user" ? "on CPU" : state} ${share(part)}`).join(", ") : "–") },
  ], waits, "Waits, the longest first");
}

const endTable = (ends) => table([
  { name: "waiter", text: true, get: (end) => end.waiter }, { name: "its waits end in", text: true, get: (end) => end.terminal.replaceAll("_", " ") }, { name: "of", text: true, get: (end) => end.owner ?? "–" },
  { name: "time", get: (end) => seconds(end.seconds) }, { name: "share", get: (end) => share(end.share) },
], ends, "What waiting ends in, when the chain is followed");

const lockTable = (locks) => table([
  { name: "lock", text: true, get: (lock) => lock.name }, { name: "kind", text: true, get: (lock) => (lock.gil ? "GIL" : lock.kind) }, { name: "process", text: true, get: (lock) => lock.process ?? "–" },
  { name: "waited for", get: (lock) => share(lock.contended_share), title: "share of the run in which at least one thread waited" },
  { name: "longest queue", get: (lock) => count(lock.longest_queue) }, { name: "waits", get: (lock) => count(lock.count) }, { name: "time", get: (lock) => seconds(lock.seconds) },
  { name: "waited for in", text: true, get: (lock) => (lock.site ? `${lock.site} ${share(lock.site_share)}` : "–"), title: "the program’s own function in which most of the waiting was, and its share" },
  { name: "released by", text: true, get: (lock) => lock.released_by ?? "–" },
], locks, "Locks and queues, in user space and in the kernel");

export function addWaits(section, report) {
  if (!report.waits || !report.waits.length) {
    section.append(el("p", { class: "nothing" }, report.waits ? "No thread waited for another." : "This run has nothing of who waited for whom."));
    return;
  }
  graph(section, report);
  section.append(el("div", { class: "tables" }, waitTable(report.waits), report.blame && report.blame.ends.length ? endTable(report.blame.ends) : null, report.locks && report.locks.length ? lockTable(report.locks) : null));
}
