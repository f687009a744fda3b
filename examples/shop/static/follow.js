// Shows the page anew as soon as the order has gone on.
"use strict";
const shown = document.querySelector("main").dataset.state;
setInterval(async () => {
  if (document.hidden) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const state = page.querySelector("main")?.dataset.state;
    if (state && state !== shown) location.reload();
  } catch {
    // The shop is away for a moment; the next round asks again.
  }
}, 1500);
