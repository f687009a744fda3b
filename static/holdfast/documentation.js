// Shows the description of the API. "Try it out" asks the host this page came from, and no other.
"use strict";

const place = document.getElementById("api");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function paint() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

function show(spec) {
  spec.servers = [{ url: window.location.origin }];
  SwaggerUIBundle({
    spec,
    domNode: place,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: 0,
    displayOperationId: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

function tellTrouble() {
  const words = document.createElement("p");
  words.className = "trouble";
  words.textContent = `The description of the API did not come from ${place.dataset.description}. Load this page again.`;
  place.replaceChildren(words);
}

paint();
dark.addEventListener("change", paint);
fetch(place.dataset.description)
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)))
  .then(show)
  .catch(tellTrouble);
