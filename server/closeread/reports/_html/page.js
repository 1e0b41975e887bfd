
"use strict";
document.documentElement.classList.add("scripted");
const buttons = document.querySelectorAll("#tally button");
for (const button of buttons) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
    const shown = new Set([...buttons].filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.severity));
    for (const file of document.querySelectorAll("#findings .file")) {
      let any = false;
      for (const finding of file.querySelectorAll(".finding")) {
        finding.hidden = !shown.has(finding.dataset.severity);
        any = any || !finding.hidden;
      }
      file.hidden = !any;
    }
  });
}
