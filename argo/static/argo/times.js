// Shows times in the zone that the user has chosen, or the browser's, and those of the last day as
// "5 min ago". Without it they are in that zone or in UTC, as the server writes them.
"use strict";
{
  const chosen = document.querySelector('meta[name="time-zone"]')?.content;
  const zone = chosen || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const exact = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: zone });

  const relative = (seconds) => {
    if (seconds < 60) return "just now";
    return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
  };

  const show = (element) => {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.valueOf())) return;
    const seconds = (Date.now() - at) / 1000;
    const local = exact.format(at);
    element.textContent = seconds >= 0 && seconds < 86400 ? relative(seconds) : local;
    element.title = `${local} ${zone}\n${at.toISOString().replace("T", " ").slice(0, 19)} UTC`;
  };

  const showAll = (root) => root.querySelectorAll("time[datetime*='T']").forEach(show);
  showAll(document);
  setInterval(() => showAll(document), 30000);
  document.addEventListener("htmx:afterSwap", (event) => showAll(event.target));
}
