// SPDX-License-Identifier: BSD-2-Clause
// The states of threads: their colours, their order, and what they mean.
import { el, table } from "./dom.js";

// One colour per state in every chart, in light and dark. Kinds of states share a hue, the hues are those of Okabe and Ito, which
// people with any colour vision tell apart; for what is finer the charts have patterns.
const COLOURS = {
  user: "#1f77b4", kernel: "#6cb8ea", // on CPU
  runq: "#d55e00", preempted: "#f29e6b", // waiting for a CPU
  futex: "#e6a700", klock: "#a87b00", // locks
  poll: "#a7adb3", sleep: "#c9ced3", // as a rule idle
  net_recv: "#009e73", net_send: "#5fcfae", net_accept: "#b3ddd0", net_connect: "#00664a",
  ipc: "#8d7cc9", child: "#5b4a99",
  disk: "#cc6fa1", fault: "#93406f", reclaim: "#5f2148",
  device: "#d6c72e", stopped: "#76808a", other: "#8a8f94",
  handoff: "#c9a06f", // read, and not yet taken up by the thread that answers
  queue: "#8c5a2b", stream: "#3c8f8a", service: "#5d7f9e", unsplit: "#dfe3e6", // of a request, outside of what its thread does
};

export const colour = (state) => COLOURS[state] ?? COLOURS.other;

// The order of the states in stacks: as in the report, so that kinds lie together.
export const order = (course) => course.states.map((state) => state.name);

// What those of the states mean that a chart shows.
export function meanings(course, shown) {
  const states = course.states.filter((state) => shown.includes(state.name));
  return el("details", {}, el("summary", {}, "What the states mean"), table([{ name: "state", text: true, get: (state) => state.name },
    { name: "meaning", text: true, get: (state) => state.meaning }], states, "States"));
}
