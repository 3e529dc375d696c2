// SPDX-License-Identifier: BSD-2-Clause
// Flame graphs: sampled stacks as a tree, a box per function as wide as its time. Boxes are searched, and zoomed into by a click or
// the keyboard: arrows go to a neighbour, Enter zooms, Escape goes back.
import { addChart, tip } from "./chart.js";
import { el, table } from "./dom.js";
import { count, micros, seconds, share } from "./format.js";
import { colour } from "./states.js";

const ROW = 19;
const ROWS_MAX = 48;

// Nodes with their place: children side by side from the left edge of their parent, the heaviest first.
function layOut({ frames, nodes }) {
  const all = nodes.map(([parent, frame, time, samples], index) => ({ index, parent, name: frames[frame][0], kind: frames[frame][1], module: frames[frame][2], time, samples, children: [], depth: 0, left: 0 }));
  const used = all.map(() => 0);
  for (const node of all.slice(1)) {
    const parent = all[node.parent];
    parent.children.push(node);
    node.depth = parent.depth + 1;
    node.left = parent.left + used[node.parent];
    used[node.parent] += node.time;
  }
  return all;
}

// Colours by kind, a little different by name; a state has that of all charts.
const HUES = { user: [28, 78], kernel: [205, 45], call: [265, 35], missing: [0, 0], group: [210, 12], all: [210, 8] };
function paint(node, dark) {
  if (node.kind === "state") return colour(node.name.replace(/[[\]]/g, ""));
  const [hue, saturation] = HUES[node.kind] ?? HUES.missing;
  let sum = 0;
  for (const letter of node.name) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return `hsl(${hue - 12 + (sum % 24)}, ${saturation}%, ${(dark ? 42 : 70) + (sum % 9)}%)`;
}

class Flame {
  constructor(data) {
    this.nodes = layOut(data);
    this.root = this.at = this.nodes[0];
    this.query = "";
  }

  // What is drawn: the node that is zoomed into, what is below it, and the way to it as full rows.
  visible() {
    const { root } = this;
    const way = [];
    for (let node = root; node.index !== 0; node = this.nodes[node.parent]) way.unshift(this.nodes[node.parent]);
    const inside = this.nodes.filter((node) => node.depth >= root.depth && node.left >= root.left - 0.5 && node.left + node.time <= root.left + root.time + 0.5 && this.isBelow(node));
    return [...way.map((node) => [node, 0, root.time]), ...inside.map((node) => [node, node.left - root.left, node.left - root.left + node.time])].filter(([node]) => node.depth < ROWS_MAX);
  }

  isBelow(node) {
    let up = node;
    while (up.depth > this.root.depth) up = this.nodes[up.parent];
    return up === this.root;
  }

  matches(node) {
    return this.query !== "" && `${node.name} ${node.module ?? ""}`.toLowerCase().includes(this.query);
  }

  // The time of all boxes that match, a box inside another that does counted once.
  matchedTime() {
    let sum = 0;
    const go = (node) => {
      if (this.matches(node)) sum += node.time;
      else node.children.forEach(go);
    };
    go(this.nodes[0]);
    return sum;
  }

  step(key) {
    const parent = this.nodes[this.at.parent];
    const siblings = this.at.index === 0 ? [this.at] : parent.children;
    const place = siblings.indexOf(this.at);
    return { ArrowRight: siblings[place + 1], ArrowLeft: siblings[place - 1], ArrowUp: this.at.children[0], ArrowDown: this.at.index === 0 ? undefined : parent }[key];
  }
}

function option(flame, colours, dark) {
  const items = flame.visible();
  const depth = Math.min(ROWS_MAX, 1 + flame.nodes.reduce((most, node) => Math.max(most, node.depth), 0));
  return {
    grid: { left: 0, right: 0, top: 2, bottom: 2 }, xAxis: { type: "value", min: 0, max: Math.max(flame.root.time, 1), show: false }, yAxis: { type: "value", min: 0, max: depth, show: false },
    tooltip: { formatter: ({ dataIndex }) => {
      const node = items[dataIndex][0];
      return tip(node.name, [["time", `${micros(node.time)} · ${share(node.time / flame.nodes[0].time)}`], ["samples", count(node.samples)], ...(node.module ? [["in", node.module]] : [])]);
    } },
    series: [{ type: "custom", clip: true, encode: { x: [0, 1], y: 2 }, data: items.map(([node, from, to]) => [from, to, node.depth]),
      renderItem: (params, api) => {
        const node = items[params.dataIndex][0];
        const [x, y] = api.coord([api.value(0), api.value(2) + 1]);
        const width = api.coord([api.value(1), 0])[0] - x;
        const match = flame.matches(node);
        const faded = flame.query !== "" && !match;
        return { type: "rect", shape: { x: x + 0.25, y: y + 0.5, width: Math.max(0.3, width - 0.5), height: ROW - 1, r: 1 },
          style: { fill: match ? "#c2185b" : paint(node, dark), opacity: faded ? 0.35 : 1, stroke: node === flame.at ? colours.text : null, lineWidth: node === flame.at ? 2 : 0 },
          textContent: width > 34 ? { style: { text: node.name, fill: match ? "#fff" : dark ? "#fff" : "#1a1d21", fontSize: 11, width: width - 8, overflow: "truncate", ellipsis: "…" } } : undefined,
          textConfig: { position: "insideLeft", distance: 4, inside: true } };
      } }],
  };
}

function codeTable(places, share_of, caption) {
  return table([
    { name: "function", text: true, get: (place) => place.function ?? "[unknown]" }, { name: "module", text: true, get: (place) => place.module ?? "–" },
    { name: "thread", text: true, get: (place) => (place.thread === place.process ? place.thread : `${place.process}/${place.thread}`) },
    ...(share_of === "blocked_share" ? [{ name: "state", text: true, get: (place) => place.state }, { name: "call", text: true, get: (place) => place.syscall ?? "–" }] : []),
    { name: "time", get: (place) => seconds(place.seconds) }, { name: "share", get: (place) => share(place[share_of]) },
    ...(share_of === "cpu_share" ? [{ name: "of wall time", get: (place) => share(place.wall_share), title: "a sample among n threads of its process on CPU at once counts 1/n" }] : []),
  ], places, caption);
}

function addFlame(section, spec, data, places) {
  if (!data) {
    section.append(el("p", { class: "nothing" }, `${spec.title}: no stack was sampled.`));
    return;
  }
  const flame = new Flame(data);
  const depth = Math.min(ROWS_MAX, 1 + flame.nodes.reduce((most, node) => Math.max(most, node.depth), 0));
  const found = el("output", { class: "found" });
  const search = el("input", { type: "search", placeholder: "Search functions", "aria-label": `Search: ${spec.title}` });
  const back = el("button", { type: "button", disabled: true }, "Zoom out");
  let redraw = () => {};
  const say = (node) => { found.textContent = `${node.name}: ${micros(node.time)}, ${share(node.time / flame.nodes[0].time)}`; };
  const zoom = (node) => {
    flame.root = flame.at = node;
    back.disabled = node.index === 0;
    say(node);
    redraw();
  };
  search.addEventListener("input", () => {
    flame.query = search.value.trim().toLowerCase();
    found.textContent = flame.query ? `${share(flame.matchedTime() / flame.nodes[0].time)} of the time` : "";
    redraw();
  });
  back.addEventListener("click", () => zoom(flame.nodes[0]));
  addChart(section, {
    id: spec.id, title: spec.title, height: depth * ROW + 4, resized: true,
    note: `${spec.note} ${micros(flame.nodes[0].time)} in ${count(flame.nodes[0].samples)} samples.${data.left_out ? ` The ${count(data.left_out)} lightest boxes are left out.` : ""} Click a box to zoom in; with the keyboard, arrows, Enter and Escape.`,
    about: places.slice(0, 5).map((place) => `${place.function ?? "unknown"} ${seconds(place.seconds)}`).join(", "),
    tools: el("div", { class: "tools" }, search, back, found),
    option: (colours, dark) => option(flame, colours, dark),
    keys: (event) => {
      const next = flame.step(event.key);
      if (event.key === "Enter") zoom(flame.at);
      else if (event.key === "Escape") zoom(flame.nodes[0]);
      else if (next) {
        flame.at = next;
        say(next);
        redraw();
      } else return event.key.startsWith("Arrow");
      return true;
    },
    ready: (chart, draw) => {
      redraw = draw;
      chart.on("click", ({ dataIndex }) => zoom(flame.visible()[dataIndex][0]));
    },
    numbers: places.length ? codeTable(places, spec.share, spec.title) : null,
  });
}

export function addFlames(section, report, course) {
  const code = report.code ?? { on_cpu: [], off_cpu: [] };
  addFlame(section, { id: "flame-on-cpu", title: "On CPU", note: "Where the CPU time went.", share: "cpu_share" }, course.flame_on_cpu, code.on_cpu);
  addFlame(section, { id: "flame-off-cpu", title: "Off CPU", note: "Where threads were blocked, the state innermost.", share: "blocked_share" }, course.flame_off_cpu, code.off_cpu);
  if (report.code) section.append(el("p", { class: "note" }, `${count(code.samples)} samples; ${share(code.without_stack_share)} without a user stack, ${share(code.short_stack_share)} with one cut short.`));
}
