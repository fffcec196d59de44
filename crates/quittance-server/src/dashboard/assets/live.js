// Keeps the overview current: the server says when it shows something else, and the page fetches that part of itself.
// Without this script the page is what it was when it was loaded.
"use strict";

const region = document.getElementById("live");
let isWaiting = false;

// What is not current any more says so.
function stale() {
  document.title = "Not current: " + document.title;
  const note = document.createElement("p");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.textContent = "Problem: this page is not kept current any more. Load it again.";
  region.prepend(note);
}

async function renew() {
  // Whoever is in the middle of it by keyboard is not thrown out.
  isWaiting = region.contains(document.activeElement);
  if (isWaiting) return;
  const answer = await fetch("/dashboard/fragment", { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) throw new Error("no fragment");
  region.innerHTML = await answer.text();
}

if (region && "EventSource" in window) {
  const events = new EventSource("/dashboard/live");
  const end = () => {
    events.close();
    stale();
  };
  const look = () => renew().catch(end);
  events.addEventListener("look", look);
  // The browser has given up; while it only tries again, what is shown is not older than that.
  events.addEventListener("error", () => events.readyState === EventSource.CLOSED && stale());
  region.addEventListener("focusout", () => isWaiting && setTimeout(look));
  window.addEventListener("pagehide", () => events.close());
}
