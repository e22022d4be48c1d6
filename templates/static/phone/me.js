"use strict";
/* 我的: the server's figures, what waits, signing out. */
const Me = (function () {
  const { el, icon } = Dom;
  let refused = false;

  function render(main) {
    const state = Session.state;
    Frame.title("我的", "me");
    const data = state.list && state.list.data;
    Dom.fill(main,
      el("section", { class: "who" }, el("b", {}, state.name || "未登录"), el("span", {}, data ? data.user.area : "")),
      data && el("dl", { class: "tally" },
        figure("应访", data.figures.obliged, "人"), figure("已访", data.figures.met, "人"),
        figure("待上传", Session.waiting(), "条"), figure("被退回", Done.returned().length, "条")),
      data && el("p", { class: "small" }, "应访、已访是平台已入库的人数（" + data.month.replace("-", "年") + "月" +
        (data.figures.exempt ? "，另有免访 " + data.figures.exempt + " 人" : "") + "）；待上传的入库后才计入。"),
      el("button", { type: "button", class: "button primary wide", onclick: Sync.now }, icon("sync"), "同步"),
      el("p", { class: "small", role: "status" }, syncLine()),
      state.trouble && el("p", { class: "note attention" }, state.trouble),
      state.others.map((other) => el("p", { class: "note attention" },
        "这部手机里还有" + other.name + "的 " + other.count + " 条记录没有上传，请本人登录后上传。")),
      el("section", { class: "advice" }, el("h2", {}, "记录会不会丢"),
        el("p", {}, "每点一下都自动存在这部手机里，关掉、没电都不丢。在浏览器里「清除数据」会丢，请不要清除。"),
        el("p", {}, "名单加密存放，退出或 72 小时没有同步就自动清除。")),
      state.owner && (refused && Session.held() ? refusal() :
        el("button", { type: "button", class: "button wide", onclick: leave }, "退出登录")));
  }

  const figure = (word, number, unit) => el("div", {}, el("dt", {}, word), el("dd", {}, String(number), el("small", {}, unit)));

  function syncLine() {
    const { list, net } = Session.state;
    if (net === "busy") { return "正在同步…"; }
    const words = { offline: "现在没有网络，有网络时自动上传。", signin: "登录已过期，请重新登录。", forbidden: "这个账号不能登记探访。", online: "" };
    return (list ? "名单更新于 " + Moments.clock(Moments.iso(new Date(list.at))) + "。" : "手机里没有名单。") + words[net];
  }

  async function leave() {
    if (await Session.leave()) {
      // without the server the phone is left all the same
      await Session.finishLeaving().catch(() => undefined);
      location.replace("/m/login/");
      return;
    }
    refused = true;
    Screens.draw();
    window.scrollTo(0, document.body.scrollHeight);
  }

  function refusal() {
    return el("div", { class: "note danger", role: "alert" },
      el("p", {}, "还有 " + Session.held() + "，现在退出会丢，所以不能退出。请先上传或处理完。"),
      Session.waiting() > 0 && el("button", { type: "button", class: "button primary", onclick: Sync.now }, "现在上传"),
      el("button", { type: "button", class: "button" + (Session.waiting() ? "" : " primary"), onclick: () => Screens.go("done") }, "查看这些记录"));
  }

  return { render };
})();
