"use strict";
/* Small conveniences over pages that work without them. */
document.addEventListener("keydown", function (event) {
  var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    var box = document.querySelector("[data-search]");
    if (box) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  }
  if (event.key === "Escape") {
    document.querySelectorAll("details.me[open]").forEach(function (panel) { panel.removeAttribute("open"); });
  }
});
document.addEventListener("click", function (event) {
  document.querySelectorAll("details.me[open]").forEach(function (panel) {
    if (!panel.contains(event.target)) { panel.removeAttribute("open"); }
  });
  var printer = event.target.closest("[data-print]");
  if (printer) { window.print(); }
});
/* A second click on a form that is on its way does nothing; the server guards as well. */
document.addEventListener("submit", function (event) {
  var form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) { return; }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  window.setTimeout(function () { delete form.dataset.sent; }, 8000);
});
window.addEventListener("pageshow", function () {
  document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
});
/* The name of a chosen file, in our own words instead of the browser's. */
document.addEventListener("change", function (event) {
  var label = event.target.type === "file" && event.target.closest("label");
  if (label && event.target.files.length) {
    label.querySelector("[data-file-name]").textContent = event.target.files[0].name;
  }
});
/* Ticked rows: tick a whole page at once, say how many are ticked, and offer nothing while none is. */
function showTicks(form) {
  var ticked = form.querySelectorAll("tbody input[type=checkbox]:checked").length;
  form.querySelectorAll("[data-needs-ticks]").forEach(function (button) { button.disabled = ticked === 0; });
  form.querySelectorAll("[data-tick-count]").forEach(function (place) { place.textContent = ticked; });
}
document.addEventListener("change", function (event) {
  var form = event.target.closest("form[data-batch]");
  if (!form) { return; }
  if (event.target.hasAttribute("data-check-all")) {
    form.querySelectorAll("tbody input[type=checkbox]").forEach(function (box) { box.checked = event.target.checked; });
  }
  showTicks(form);
});
window.addEventListener("pageshow", function () { document.querySelectorAll("form[data-batch]").forEach(showTicks); });
/* Rows typed in from paper: Enter goes to the same column of the next row, so that nothing is sent half-way. */
document.addEventListener("keydown", function (event) {
  var cell = event.target.closest("form[data-entry] td");
  if (!cell || event.key !== "Enter") { return; }
  event.preventDefault();
  var below = cell.parentElement.nextElementSibling;
  var field = below && below.children[cell.cellIndex].querySelector("input, select");
  (field || cell.closest("form").querySelector(".foot-bar button")).focus();
});
