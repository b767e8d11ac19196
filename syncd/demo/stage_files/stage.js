// While something is done no other button can be pressed; everything works without this.
"use strict";

for (const form of document.querySelectorAll(".acts form")) {
  form.addEventListener("submit", () => {
    document.querySelector(".waiting").hidden = false;
    setTimeout(() => {
      for (const button of document.querySelectorAll(".act")) button.disabled = true;
    });
  });
}
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll(".act")) button.disabled = false;
  document.querySelector(".waiting").hidden = true;
});
