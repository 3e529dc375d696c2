// SPDX-License-Identifier: BSD-2-Clause
// The page: a row per part, each in a file of its own. A part that has nothing to show says why, or is left out.
import { el } from "./dom.js";
import { addFirst } from "./first.js";
import { addFleet, fleetHead } from "./fleet.js";
import { addHead, addFoot, runHead } from "./head.js";
import { addBudget } from "./budget.js";
import { addStates } from "./overtime.js";
import { addHeatmap } from "./heatmap.js";
import { addResources } from "./resources.js";
import { addWaits } from "./waits.js";
import { addFlames } from "./flame.js";
import { addThreads } from "./threads.js";
import { addCalls } from "./calls.js";
import { addNetwork } from "./network.js";
import { addHealth } from "./health.js";

const PARTS = [
  { id: "budget", title: "A request’s time", add: addBudget },
  { id: "states", title: "Threads over time", add: addStates },
  { id: "latency", title: "Latency over time", add: addHeatmap },
  { id: "resources", title: "Resources", add: addResources },
  { id: "waits", title: "Who waits for whom", add: addWaits },
  { id: "flames", title: "Code", add: addFlames },
  { id: "threads", title: "Threads", add: addThreads },
  { id: "calls", title: "System calls", add: addCalls },
  { id: "connections", title: "Connections", add: addNetwork },
  { id: "health", title: "Losses and cost", add: addHealth },
];

const read = (id) => JSON.parse(document.getElementById(id).textContent);

function addPart(page, { id, title }) {
  const section = el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title));
  page.append(section);
  return section;
}

function addRun(page, report, course) {
  const first = el("section", { id: "verdict" });
  page.append(el("nav", { "aria-label": "Parts of the report" }, el("a", { href: "#verdict" }, "Verdict"), PARTS.map((part) => el("a", { href: `#${part.id}` }, part.title))), first);
  addFirst(first, report, course);
  for (const part of PARTS) part.add(addPart(page, part), report, course);
}

// The page of one run, or of those of several hosts.
const page = document.getElementById("page");
const report = read("report");
const isFleet = report.schema.startsWith("headroom.fleet/");
addHead(page, isFleet ? fleetHead(report) : runHead(report.run));
if (isFleet) addFleet(page, report, addPart);
else addRun(page, report, read("course"));
addFoot(page, isFleet ? "" : `Recorded by headroom ${report.run.headroom_version ?? "?"}. `);
document.documentElement.dataset.ready = "true";
