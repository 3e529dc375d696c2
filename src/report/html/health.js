// SPDX-License-Identifier: BSD-2-Clause
// Whether the numbers hold: what was lost or guessed, and what the recording cost.
import { el, table } from "./dom.js";
import { bytes, count, share } from "./format.js";

function lossWords(health) {
  if (health.lossy === null) return "losses not known";
  const all = health.losses ?? [];
  if (!all.length) return "nothing lost";
  return health.lossy ? "data was lost above the limit" : `lost within the limit: ${all.slice(0, 2).map((loss) => `${count(loss.count)} × ${loss.meaning ?? loss.reason}`).join("; ")}${all.length > 2 ? "; …" : ""}`;
}

export function healthLine(report) {
  const { health } = report;
  const cost = health.cost ?? {};
  const parts = [
    health.accounted_share === null ? null : `${(health.accounted_share * 100).toFixed(2)} % of thread time accounted for`, lossWords(health),
    cost.collector_cpu_share === null ? null : `recorder ${share(cost.collector_cpu_share)} of one CPU`, cost.bpf_cpu_share === null ? null : `probes ${share(cost.bpf_cpu_share)}`,
    report.run.complete ? null : "the recording was cut off", report.run.gaps ? `recording was off ${count(report.run.gaps)} times` : null,
  ].filter(Boolean);
  return el("p", { class: health.lossy ? "health bad" : "health" }, el("a", { href: "#health" }, "Health"), `: ${parts.join(" · ")}`);
}

export function addHealth(section, report) {
  const { health } = report;
  const cost = health.cost ?? {};
  section.append(healthLine(report));
  const losses = health.losses ?? [];
  section.append(losses.length ? table([
    { name: "what", text: true, get: (loss) => loss.meaning ?? loss.reason }, { name: "times", get: (loss) => count(loss.count) }, { name: "kind", text: true, get: (loss) => loss.kind ?? "–" },
    { name: "", text: true, get: (loss) => (loss.above_limit ? "above the limit" : "within the limit") },
  ], losses, "What is missing from the run or guessed in it") : el("p", { class: "nothing" }, health.losses ? "Nothing was lost." : "Whether anything was lost is not known."));
  section.append(table([{ name: "", text: true, get: (row) => row[0] }, { name: "", get: (row) => row[1] }], [
    ["Recorder, share of one CPU", share(cost.collector_cpu_share)], ["Recorder, memory", bytes(cost.collector_rss_bytes)], ["Probes, share of one CPU", share(cost.bpf_cpu_share)], ["Probes were sampled for", cost.bpf_sampled_s === null || cost.bpf_sampled_s === undefined ? null : `${count(cost.bpf_sampled_s)} s`],
  ], "What the recording cost"));
  if (cost.bpf_programs && cost.bpf_programs.length) section.append(el("details", {}, el("summary", {}, "Cost by probe"), table([
    { name: "program", text: true, get: (one) => one.program }, { name: "runs", get: (one) => count(one.runs) }, { name: "mean", get: (one) => (one.mean_ns === null ? null : `${Math.round(one.mean_ns)} ns`) }, { name: "share of one CPU", get: (one) => share(one.cpu_share) },
  ], cost.bpf_programs, "Cost by probe")));
  const lacking = (health.features ?? []).filter((feature) => !feature.has);
  if (lacking.length) section.append(table([{ name: "this kernel lacks", text: true, get: (one) => one.feature }, { name: "so", text: true, get: (one) => one.lost_without }], lacking, "What this kernel cannot tell"));
}
