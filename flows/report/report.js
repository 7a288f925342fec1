// A line of the text and its box on the picture light up together. Without scripts the page only lacks this.
"use strict";
for (const pair of document.querySelectorAll(".pair")) {
  let lit = [];
  pair.addEventListener("mouseover", (event) => {
    for (const element of lit) element.classList.remove("on");
    const line = event.target.closest("[data-l]");
    lit = line ? [...pair.querySelectorAll(`[data-l="${line.dataset.l}"]`)] : [];
    for (const element of lit) element.classList.add("on");
  });
}
document.documentElement.dataset.ready = "yes";
