// Small things that make pages nicer; every page works without them.
"use strict";

// A part of a page that keeps itself fresh: data-fresh is the pause in seconds.
const live = document.querySelector("[data-fresh]");
if (live) {
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      const stale = !answer.ok || answer.redirected;
      document.documentElement.classList.toggle("stale", stale);
      if (stale) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-fresh]");
      if (!fresh) location.reload(); // what was waited for is there
      else if (fresh.innerHTML !== live.innerHTML) live.replaceChildren(...fresh.childNodes);
    } catch {
      document.documentElement.classList.add("stale");
    }
  };
  setInterval(look, 1000 * Number(live.dataset.fresh));
  document.addEventListener("visibilitychange", look);
}

// A choice that need not be confirmed: the form goes when it changes.
for (const form of document.querySelectorAll("form[data-at-once]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
