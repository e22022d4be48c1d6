"use strict";
/* What is around every screen: title, network, what waits, the tabs, and a line that says what just happened. */
const Frame = (function () {
  const NET = {
    online: ["在线", "online", "good"], offline: ["无网络", "offline", "attention"], busy: ["同步中", "sync", "info"],
    signin: ["请登录", "user", "danger"], forbidden: ["无权限", "warning", "danger"]
  };
  const TABS = [["today", "今日", "walk"], ["done", "已访", "check"], ["me", "我的", "user"]];
  let silence = 0;

  const at = (id) => document.getElementById(id);

  /** tab: which of the three is open, '' inside a task; then there is a way back instead of tabs. */
  function title(text, tab) {
    at("title").textContent = text;
    at("back").hidden = Boolean(tab);
    at("tabs").hidden = !tab;
    document.body.classList.toggle("in-task", !tab);
    Dom.fill(at("tabs"), TABS.map(([name, label, icon]) => Dom.el("button", {
      type: "button", "aria-current": name === tab ? "page" : null, onclick: () => Screens.go(name)
    }, Dom.icon(icon), Dom.el("span", {}, label))));
  }

  function status() {
    const [word, icon, tone] = NET[Session.state.net];
    const count = Session.waiting();
    Dom.fill(at("status"),
      Dom.el("span", { class: "net " + tone, role: "status" }, Dom.icon(icon), word),
      Dom.el("button", { type: "button", class: "waiting" + (count ? " some" : ""), onclick: Sync.now }, "待上传 " + count));
  }

  /** A question over the screen, with one way on and one way back. details: a line each; tone: of the way on. */
  function sheet(question, details, word, go, tone) {
    const made = Dom.el("div", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-label": question }, Dom.el("div", {},
      Dom.el("h2", {}, question), details.filter(Boolean).map((line) => Dom.el("p", {}, line)),
      Dom.el("button", { type: "button", class: "button wide " + (tone || "danger"), onclick: go }, word),
      Dom.el("button", { type: "button", class: "button wide", onclick: Screens.draw }, tone ? "返回" : "返回修改")));
    at("main").append(made);
    made.querySelector("button").focus();
  }

  /** Say something for a few seconds. */
  function say(text, tone) {
    clearTimeout(silence);
    const line = at("say");
    line.textContent = text;
    line.className = "say shown" + (tone ? " " + tone : "");
    silence = setTimeout(function () { line.className = "say"; }, 4000);
  }

  return { title, status, sheet, say };
})();
