// SPDX-License-Identifier: BSD-2-Clause
// The first screen: what limits, by what evidence, what would help, and how the run grew with its load.
import { el, table } from "./dom.js";
import { count, percent, quantity, rate, share } from "./format.js";
import { addScaling } from "./scaling.js";
import { healthLine } from "./health.js";

// The verdict as a sentence; its subject follows after a colon.
const SENTENCES = {
  "not-saturated": "Not saturated: throughput still grows with the load",
  "client-limited": "The load generator is the limit, not the server",
  "cpu-saturated": "The CPUs are full of useful work",
  "cpu-oversubscribed": "The CPUs are full, and a request costs more CPU the higher the load",
  "cpu-quota": "The CPU quota throttles the server",
  "cpu-neighbour": "Others have the CPUs that the server needs",
  "serial-thread": "Work runs one at a time while CPUs are free",
  "lock-contention": "Threads queue for a lock",
  "kernel-lock": "Threads queue for a lock inside the kernel",
  "disk-io": "The disk is the limit",
  memory: "Memory is the limit",
  device: "A device is the limit",
  downstream: "Requests wait for another service",
  "worker-pool": "All workers are taken, and requests queue in front of them",
  "accept-backlog": "Connections wait to be accepted",
  "network-send": "Answers leave too slowly",
  "network-loss": "The network loses packets",
  timer: "Requests wait for the server's own timers",
  inconclusive: "The data does not decide what limits",
};

export function headline(verdict) {
  const words = SENTENCES[verdict.class] ?? verdict.class;
  if (!verdict.subject) return [`${words}.`];
  return [`${words}: `, el("span", { class: "subject" }, verdict.subject), "."];
}

function figure(name, value, note) {
  return value === null || value === undefined ? null : el("div", { class: "figure" }, el("dt", {}, name), el("dd", {}, value, note ? el("small", {}, note) : null));
}

function figures(verdict) {
  const gain = verdict.headroom ?? null;
  return el("dl", { class: "figures" },
    figure("Most measured", verdict.throughput_rps > 0 ? rate(verdict.throughput_rps) : null, verdict.load === null || verdict.load === undefined ? null : `at a load of ${count(verdict.load)}`),
    figure("Limit", rate(verdict.limit_rps), verdict.limit_basis),
    figure("Headroom", gain === null ? null : `${gain.toFixed(2)}×`, "before the next part is full"),
    verdict.class === "inconclusive" ? null : figure("Confidence", `${Math.round(verdict.confidence * 100)} %`, `action: ${verdict.action}`));
}

function evidence(verdict) {
  if (!verdict.evidence || !verdict.evidence.length) return null;
  return el("div", {}, el("h2", {}, "Evidence"), el("dl", { class: "evidence" }, verdict.evidence.map((item) =>
    el("div", {}, el("dt", {}, quantity(item.value, item.unit) ?? "n/a"), el("dd", {}, item.what)))));
}

function predictions(verdict) {
  const all = verdict.prediction ?? [];
  if (!all.length) return null;
  const gain = (value) => (verdict.throughput_rps && value !== null ? percent(value / verdict.throughput_rps - 1) : null);
  return el("div", {}, el("h2", {}, "What would change"), table([
    { name: "with", text: true, get: (row) => row.words },
    { name: "throughput", get: (row) => rate(row.throughput_rps) },
    { name: "change", get: (row) => gain(row.throughput_rps) },
    { name: "95 % of cases", get: (row) => (row.low_rps === null || row.high_rps === null ? null : `${gain(row.low_rps)} to ${gain(row.high_rps)}`) },
    { name: "then limited by", text: true, get: (row) => row.limit ?? "as now" },
  ], all, "The highest throughput, up to the load that was offered"));
}

function runnerUp(report) {
  const second = report.runner_up;
  if (!second) return null;
  return el("p", { class: "runner-up" }, "Otherwise: ", second.class, second.subject ? ": " : "", second.subject, ` (confidence ${share(second.confidence)}).`);
}

// A run without a verdict is still one of numbers.
function withoutVerdict(report) {
  const why = !report.levels.length || !report.run.intervals ? "The run has no interval: nothing was measured." : "No verdict: no request was seen and no load was marked, so nothing tells what limits.";
  return el("p", { class: "headline" }, why);
}

// A verdict is given where what was lost is none of what it rests on.
function lossWords({ health, verdict }) {
  const what = (health.losses ?? []).filter((loss) => loss.above_limit).map((loss) => `${count(loss.count)} times ${loss.meaning ?? loss.reason}`).join("; ");
  const then = verdict && verdict.class !== "inconclusive" ? "The verdict does not rest on what is missing." : "The numbers below may not hold.";
  return [`Data was lost above the limit: ${what}. ${then} See `, el("a", { href: "#health" }, "Losses and cost"), "."];
}

export function addFirst(section, report) {
  const { verdict } = report;
  const words = el("div", { class: "words" });
  if (report.health.lossy) words.append(el("p", { class: "alarm", role: "alert" }, lossWords(report)));
  if (verdict) {
    words.append(el("p", { class: "class" }, verdict.class), el("h1", { class: "headline" }, headline(verdict)), figures(verdict));
    if (verdict.advice) words.append(el("p", { class: "advice" }, verdict.advice));
    for (const part of [evidence(verdict), predictions(verdict), runnerUp(report)]) if (part) words.append(part);
  } else {
    words.append(withoutVerdict(report));
  }
  words.append(healthLine(report));
  const charts = el("div", { class: "charts" });
  section.append(words, charts);
  addScaling(charts, report);
}
