// Small things that make pages nicer; every page works without them.
"use strict";

// A part of a page that keeps itself fresh: data-fresh is the pause in seconds.
const live = document.querySelector("[data-fresh]");
if (live) {
  let pressed = -Infinity; // when a link was: to load the page again would take that back; one that saves a file ends nothing
  addEventListener("beforeunload", () => { pressed = performance.now(); });
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      const stale = !answer.ok || answer.redirected;
      document.documentElement.classList.toggle("stale", stale);
      if (stale) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-fresh]");
      if (fresh === null) {
        if (performance.now() > pressed + 10000) location.reload(); // what was waited for is there
      } else if (fresh.innerHTML !== live.innerHTML) live.replaceChildren(...fresh.childNodes);
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

// A time that is kept for whoever fills in the form: how long still, and a word before it ends.
for (const box of document.querySelectorAll("[data-left]")) {
  const end = performance.now() + 1000 * Number(box.dataset.left);
  const part = (name) => box.querySelector(`[data-${name}]`);
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    part("clock").textContent = `(${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")})`;
    part("soon").hidden = left > 120 || left === 0;
    part("kept").hidden = left === 0;
    part("over").hidden = left > 0;
    if (left === 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  tick();
}
