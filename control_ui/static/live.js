// Live refresh: puts what the server sends in the place of what the page showed. Nothing depends on it.
"use strict";

const source = new EventSource(document.currentScript.dataset.events);

for (const part of document.querySelectorAll("[data-live]")) {
  let shown;
  source.addEventListener(part.dataset.live, (event) => {
    // What is put in place anew is read out anew.
    if (event.data !== shown) part.innerHTML = shown = event.data;
  });
}

source.addEventListener("end", () => source.close());
