// SPDX-License-Identifier: BSD-2-Clause
// System calls over all processes.
import { el, table } from "./dom.js";
import { count, micros, seconds, share } from "./format.js";

function errors(call) {
  const all = Object.entries(call.errors_by_name ?? {}).map(([name, n]) => `${count(n)} ${name}`);
  return all.length ? all.join(", ") : "–";
}

export function addCalls(section, report, course) {
  if (!report.syscalls || !report.syscalls.length) {
    section.append(el("p", { class: "nothing" }, "No system call was seen."));
    return;
  }
  section.append(table([
    { name: "call", text: true, get: (call) => (call.abi === "compat" ? `${call.name} (32 bit)` : call.name) }, { name: "calls", get: (call) => count(call.calls) },
    { name: "per second", get: (call) => count(report.run.seconds ? call.calls / report.run.seconds : null) }, { name: "time", get: (call) => seconds(call.total_s) },
    { name: "p50", get: (call) => micros(call.p50_us) }, { name: "p90", get: (call) => micros(call.p90_us) }, { name: "p99", get: (call) => micros(call.p99_us) },
    { name: "failed", get: (call) => share(call.calls ? call.errors / call.calls : null) }, { name: "errors", text: true, get: errors },
    { name: "unfinished", get: (call) => (call.in_progress ? `${count(call.in_progress)} for ${seconds(call.in_progress_s)}` : "–") },
  ], report.syscalls, `System calls, most time first${course.left_out.syscalls ? `; ${course.left_out.syscalls} more are in the JSON report` : ""}`));
}
