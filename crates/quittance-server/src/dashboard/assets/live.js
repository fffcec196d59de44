// Keeps the overview current: the server says when it shows something else, and the page fetches that part of itself.
// Without this script the page is what it was when it was loaded.
"use strict";

const region = document.getElementById("live");

async function renew() {
  // Whoever is in the middle of it by keyboard is not thrown out.
  if (region.contains(document.activeElement)) return;
  const answer = await fetch("/dashboard/fragment", { credentials: "same-origin", redirect: "error" });
  if (answer.ok) region.innerHTML = await answer.text();
}

if (region && "EventSource" in window) {
  const events = new EventSource("/dashboard/live");
  events.addEventListener("look", () => renew().catch(() => events.close()));
  window.addEventListener("pagehide", () => events.close());
}
