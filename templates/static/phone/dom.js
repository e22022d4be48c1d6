"use strict";
/* Making elements. Text only ever goes in as text, so nothing that a person typed can become markup. */
const Dom = (function () {
  /** el("button", {class: "chip", onclick: f, "aria-pressed": "true"}, "平安", child, …); null attributes are left out. */
  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) { continue; }
      if (name.startsWith("on")) { made.addEventListener(name.slice(2), value); }
      else { made.setAttribute(name, value === true ? "" : value); }
    }
    append(made, children);
    return made;
  }

  function append(parent, children) {
    for (const child of children) {
      if (Array.isArray(child)) { append(parent, child); }
      else if (child !== null && child !== undefined && child !== false) { parent.append(child); }
    }
  }

  /** Put these children in the place of whatever is there. */
  function fill(parent, ...children) {
    while (parent.firstChild) { parent.removeChild(parent.firstChild); }
    append(parent, children);
  }

  /** One of the symbols in the page. */
  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", "#i-" + name);
    svg.append(use);
    return svg;
  }

  /** A large choice; on: chosen. */
  function chip(text, on, choose, more) {
    return el("button", Object.assign(
      { type: "button", class: "chip" + (on ? " on" : ""), "aria-pressed": on ? "true" : "false", onclick: choose }, more
    ), on ? icon("check") : null, text);
  }

  return { el, fill, icon, chip };
})();
