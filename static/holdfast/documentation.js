// Shows the description of the API. "Try it out" asks the host this page came from, and no other.
"use strict";

const place = document.getElementById("api");

fetch(place.dataset.description)
  .then((answer) => answer.json())
  .then((spec) => {
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
  });
