"use strict";
/* Which screen is open. The phone's back key goes back one screen; addresses never change, so they tell nothing. */
const Screens = (function () {
  const TASKS = ["form", "calls"];
  const RENDER = { today: Today.render, done: Done.render, me: Me.render, form: Form.render, calls: Calls.render };
  // began: whose task is open
  let screen = "today", began = "";

  const current = () => screen;
  const inTask = () => TASKS.includes(screen);
  const user = () => (Session.state.owner ? Session.state.owner.user : began);

  function go(name) {
    if (name === "calls") { Calls.begin(); }
    if (TASKS.includes(name)) {
      began = user();
      history.pushState({ screen: name }, "");
    }
    else { history.replaceState({ screen: name }, ""); }
    show(name);
  }

  function show(name) {
    screen = TASKS.includes(name) && user() !== began ? "today" : name;
    draw();
    window.scrollTo(0, 0);
  }

  function draw() {
    Frame.status();
    RENDER[screen](document.getElementById("main"));
  }

  const back = () => history.back();

  /** Something changed below: show it, but never under the fingers of somebody who writes or is asked something. */
  function refresh() {
    if (inTask() && user() !== began) {
      // somebody else signed in here: the task stays with whom it was begun by
      go("today");
      return;
    }
    Frame.status();
    const writing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (screen !== "form" && !writing && !document.querySelector(".sheet")) { RENDER[screen](document.getElementById("main")); }
  }

  window.addEventListener("popstate", function (event) {
    show(event.state && event.state.screen !== "form" ? event.state.screen : "today");
  });

  return { current, inTask, go, draw, back, refresh };
})();
