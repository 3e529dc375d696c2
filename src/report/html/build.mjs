// SPDX-License-Identifier: BSD-2-Clause
// Bundles the page. usage: NODE_PATH=.../node_modules node build.mjs FOLDER; scripts/gen-report-page calls it.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
const modules = process.env.NODE_PATH;
const { build } = createRequire(join(modules, "/"))("esbuild");

// Who receives the page receives these packages: their licences go with it.
function licences() {
  const files = ["echarts/NOTICE", "echarts/LICENSE", "echarts/licenses/LICENSE-d3", "zrender/LICENSE", "tslib/LICENSE.txt"];
  const text = files.map((file) => `${file}\n\n${readFileSync(join(modules, file), "utf8")}`).join("\n\n");
  return `/*! This script contains Apache ECharts, zrender and tslib.\n\n${text.replaceAll("*/", "* /").replaceAll("\r", "")}\n*/`;
}

async function bundle(entry, options) {
  const result = await build({
    entryPoints: [join(here, entry)], nodePaths: [modules], bundle: true, minify: true, write: false, charset: "ascii",
    legalComments: "none", target: ["chrome100", "firefox100", "safari15"], logLevel: "warning", ...options,
  });
  return result.outputFiles[0].text.trimEnd();
}

// What ends a script or a style element early would be a hole in the page; a browser takes hashes without carriage returns.
function check(text, end) {
  if (text.includes("\r")) throw new Error("the bundle contains a carriage return");
  if (text.includes(end) || text.includes("<!--")) throw new Error(`the bundle contains ${end} or <!--`);
  return text;
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const script = check(`${licences()}\n${await bundle("main.js", { format: "iife", define: { "process.env.NODE_ENV": '"production"' } })}\n`, "</script");
const style = check(await bundle("report.css", {}), "</style");
const policy = [
  "default-src 'none'", `script-src ${hash(script)}`, `style-src ${hash(style)}`, "img-src data:", "base-uri 'none'", "form-action 'none'",
].join("; ");

writeFileSync(join(folder, "report.js"), script);
writeFileSync(join(folder, "report.css"), style);
writeFileSync(join(folder, "report.csp"), policy);
