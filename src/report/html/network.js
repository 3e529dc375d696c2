// SPDX-License-Identifier: BSD-2-Clause
// Who talks to whom, requests by stage, connections and listening sockets.
import { el, table } from "./dom.js";
import { bytes, count, micros, millis, seconds } from "./format.js";

const STAGES = ["accept", "queue", "service", "stream", "total", "connect", "wait"];
const name = (flow) => `${flow.process} ${flow.role === "server" ? "" : `→ `}${flow.endpoint}`;
const stage = (flow, which) => (flow.stages_ms && flow.stages_ms[which] ? flow.stages_ms[which] : null);
const endToEnd = (flow) => stage(flow, flow.role === "downstream" ? "wait" : "total");

function stageRows(flows) {
  return flows.flatMap((flow) => STAGES.map((which) => ({ flow, which, of: stage(flow, which) })).filter((row) => row.of && (row.of.count ?? 1) > 0 && row.of.mean !== null));
}

export function addNetwork(section, report, course) {
  const flows = report.connections;
  if (!flows || !flows.length) {
    section.append(el("p", { class: "nothing" }, flows ? "No connection was seen." : "This run has nothing of the network."));
    return;
  }
  const more = course.left_out.connections ? `; ${course.left_out.connections} more are in the JSON report` : "";
  const of = (flow) => flow.connections ?? {};
  section.append(table([
    { name: "who", text: true, get: name }, { name: "role", text: true, get: (flow) => flow.role }, { name: "requests/s", get: (flow) => count(flow.throughput_rps) },
    { name: "in flight", get: (flow) => count(flow.in_flight ? flow.in_flight.counted : null) }, { name: "mean", get: (flow) => millis(endToEnd(flow) && endToEnd(flow).mean) }, { name: "p99", get: (flow) => millis(endToEnd(flow) && endToEnd(flow).p99) },
    { name: "opened", get: (flow) => count(of(flow).opened) }, { name: "closed", get: (flow) => count(of(flow).closed) }, { name: "in", get: (flow) => bytes(of(flow).in_bytes) }, { name: "out", get: (flow) => bytes(of(flow).out_bytes) },
    { name: "sent again", get: (flow) => count(flow.tcp ? flow.tcp.retransmits : null) }, { name: "round trip", get: (flow) => micros(flow.tcp ? flow.tcp.srtt_median_us : null) },
    { name: "held by the peer", get: (flow) => seconds(flow.tcp ? flow.tcp.zero_window_s : null), title: "the peer's window was full" },
  ], flows, `Connections by flow${more}`));
  const stages = stageRows(flows);
  if (stages.length) section.append(table([{ name: "flow", text: true, get: (row) => name(row.flow) }, { name: "stage", text: true, get: (row) => row.which }, { name: "requests", get: (row) => count(row.of.count) },
    ...["mean", "p50", "p90", "p99"].map((key) => ({ name: key, get: (row) => millis(row.of[key]) }))], stages, "Stages of requests"));
  if (report.listeners && report.listeners.length) section.append(table([
    { name: "process", text: true, get: (one) => one.process }, { name: "listens on", text: true, get: (one) => one.address }, { name: "longest backlog", get: (one) => count(one.backlog_highest) },
    { name: "of", get: (one) => count(one.backlog_max) }, { name: "dropped", get: (one) => count(one.drops) },
  ], report.listeners, "Listening sockets"));
}

