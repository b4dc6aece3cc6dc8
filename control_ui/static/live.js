// Live refresh: puts what the server sends in the place of what the page showed. Nothing depends on it.
"use strict";

const source = new EventSource(document.currentScript.dataset.events);

for (const part of document.querySelectorAll("[data-live]")) {
  source.addEventListener(part.dataset.live, (event) => {
    part.innerHTML = event.data;
  });
}

source.addEventListener("end", () => source.close());
