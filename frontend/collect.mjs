// Copies what the pages use out of the packages: icons for templates, the chart library.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";

const icons = "../templates/icons";
rmSync(icons, { recursive: true, force: true });
mkdirSync(icons, { recursive: true });
for (const name of readFileSync("icons.txt", "utf8").split("\n").filter(Boolean)) {
  const drawing = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8")
    .replace(/<!--.*?-->\n/s, "")
    .replace(/\s*class="[^"]*"/, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/ >/g, ">")
    .replace(/> </g, "><")
    .trim();
  writeFileSync(`${icons}/${name}.svg`, `${drawing}\n`);
}
const vendor = "../static/holdfast/vendor";
mkdirSync(vendor, { recursive: true });
copyFileSync("node_modules/uplot/dist/uPlot.iife.min.js", `${vendor}/uplot.js`);
copyFileSync("node_modules/uplot/dist/uPlot.min.css", `${vendor}/uplot.css`);
console.log(`${readdirSync(icons).length} icons`);
