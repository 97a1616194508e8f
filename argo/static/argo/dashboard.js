// Keeps the panels still where somebody is working in them, and says if they are not live.
"use strict";
{
  const freshness = document.getElementById("freshness");
  const clock = () => new Date().toLocaleTimeString("sv-SE");
  let last = clock();

  const say = (isLive) => {
    if (isLive) last = clock();
    freshness.textContent = isLive ? `Live, read at ${last}` : `Argo does not answer: these figures are of ${last}`;
    freshness.classList.toggle("stale", !isLive);
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr } = event.detail;
    if (xhr.status !== 200) return;
    say(true);
    const isInUse = target.contains(document.activeElement) || !document.getSelection().isCollapsed;
    if (isInUse || target.dataset.last === xhr.responseText) event.detail.shouldSwap = false;
    else target.dataset.last = xhr.responseText;
  });
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, () => say(false));
  }
  say(true);
}
