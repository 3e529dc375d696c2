// SPDX-License-Identifier: BSD-2-Clause
// Levels of the load: their names, and their places on the axis.
export const levelName = (level) => level.level ?? "whole run";

// Levels that have a place and a throughput, in ascending load.
export const placed = (report) => report.levels.filter((level) => level.load !== null && level.load !== undefined && level.throughput_rps !== null).sort((a, b) => a.load - b.load);

export function loadWords(report) {
  const unit = report.levels.map((level) => level.offered_unit).find(Boolean);
  return unit === "clients" ? "load: clients" : "load: requests in flight";
}
