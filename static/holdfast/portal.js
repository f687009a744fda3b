// Small conveniences. Every page works without them.
"use strict";

// A button that is pressed twice must not send twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "get") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => { delete form.dataset.sent; }, 8000);
});

// Copy what stands beside the button.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.dataset.copied = "1";
});

// Charts: <div data-chart="id of a json_script">. Series in the colors of the page.
function drawChart(box) {
  const told = JSON.parse(document.getElementById(box.dataset.chart).textContent);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const options = {
    width: box.clientWidth,
    height: Number(box.dataset.height || 240),
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: true } },
    axes: [
      { stroke: color("--muted"), grid: { show: false }, ticks: { show: false } },
      {
        stroke: color("--muted"), grid: { stroke: color("--line") }, ticks: { show: false }, size: 72,
        values: (_, ticks) => ticks.map((tick) => new Intl.NumberFormat(document.documentElement.lang,
          { notation: "compact", maximumFractionDigits: 1 }).format(tick)),
      },
    ],
    series: [{}, ...told.series.map((each) => ({
      label: each.label, stroke: color(each.color), width: 2, fill: `${color(each.color)}22`, points: { show: false },
    }))],
  };
  box.replaceChildren();
  new uPlot(options, [told.x, ...told.series.map((each) => each.values)], box);
}
function drawCharts() {
  if (window.uPlot) document.querySelectorAll("[data-chart]").forEach(drawChart);
}
window.addEventListener("load", drawCharts);
let later;
window.addEventListener("resize", () => { clearTimeout(later); later = setTimeout(drawCharts, 150); });
