"use strict";
/* 今日: who is to be seen, the most urgent first. */
const Today = (function () {
  const { el, icon, chip } = Dom;
  const TONES = { 逾期: "danger", 今日到期: "attention", 本周到期: "info", 待访: "plain", 已达标: "good" };
  let village = "", search = "";

  function render(main) {
    const { list } = Session.state;
    Frame.title("今日", "today");
    const result = el("div", { class: "groups" });
    Dom.fill(main, notes(), list ? [figures(), tools(result), result] : empty());
    if (list) { people(result); }
  }

  /** What has to be said before the work: the session, another user's records, drafts, returned ones, the server's notices. */
  function notes() {
    const state = Session.state;
    const drafts = Session.countOf(Outbox.DRAFT);
    const returned = Done.returned().length;
    return [
      state.net === "signin" && el("div", { class: "note attention", role: "alert" },
        el("p", {}, "登录已过期。记录都在手机里，没有丢失；登录后自动上传。"), el("a", { class: "button", href: "/m/login/" }, "去登录")),
      state.net === "forbidden" && el("div", { class: "note danger", role: "alert" },
        el("p", {}, "这个账号不能登记探访，请联系系统管理员，或换一个账号登录。"), el("a", { class: "button", href: "/m/login/" }, "换账号登录")),
      state.trouble && el("p", { class: "note attention" }, state.trouble),
      state.others.map((other) => el("p", { class: "note attention" },
        "这部手机里还有" + other.name + "的 " + other.count + " 条记录没有上传，请本人登录后上传。")),
      returned > 0 && el("button", { type: "button", class: "note danger go", onclick: () => Screens.go("done") },
        el("span", {}, returned + " 条记录被退回，点这里修改"), icon("next")),
      drafts > 0 && el("button", { type: "button", class: "note go", onclick: () => Screens.go("done") },
        el("span", {}, drafts + " 条草稿没有保存，点这里继续"), icon("next")),
      state.list && state.list.data.notices.map((notice) => el("p", { class: "note" }, notice))
    ];
  }

  function empty() {
    const words = Session.state.unsure ? "正在确认登录，需要网络。没有上传的记录都在手机里，没有丢失。" : Session.state.owner ?
      "名单超过 72 小时没有更新，已从手机里清除。没有上传的记录还在。连上网络后点「同步」，重新取回名单。" :
      "第一次使用需要网络：登录后，名单会存到手机里，没有信号也能用。";
    return el("div", { class: "empty" }, icon("cloud"), el("p", {}, words),
      el("button", { type: "button", class: "button primary", onclick: Sync.now }, "同步"));
  }

  /** The server's confirmed figures; what waits is counted beside them, never in them. */
  function figures() {
    const { obliged, met } = Session.state.list.data.figures;
    return el("section", { class: "figures", "aria-label": "本月探访" },
      el("div", {}, el("span", {}, "本月已访/应访"), el("b", {}, met + "/" + obliged + " 人")),
      el("progress", { max: Math.max(obliged, 1), value: met, "aria-label": "本月已访" }),
      Session.waiting() > 0 && el("p", {}, "另有待上传 " + Session.waiting() + " 条，入库后计入"));
  }

  function tools(result) {
    const villages = People.villages();
    const calls = People.forCalls().length;
    const redraw = () => render(document.getElementById("main"));
    return el("section", { class: "tools" },
      el("div", { class: "find" },
        el("input", {
          type: "search", placeholder: "按姓名查找", "aria-label": "按姓名查找", value: search, autocomplete: "off",
          oninput: function (event) {
            search = event.target.value.trim();
            people(result);
          }
        }),
        calls > 0 && el("button", { type: "button", class: "button", onclick: () => Screens.go("calls") },
          icon("phone"), "电话连访 " + calls)),
      villages.length > 1 && el("div", { class: "chips scroll", role: "group", "aria-label": "按村查看" },
        [""].concat(villages).map((name) => chip(name || "全部村", name === village, function () {
          village = name;
          redraw();
        }))));
  }

  /** Whoever was searched for has been visited: the whole list again. */
  function found() { search = ""; }

  function people(result) {
    const groups = People.groups(village, search);
    Dom.fill(result, groups.map(([heading, members]) => el("section", {},
      el("h2", {}, heading, el("span", {}, members.length + " 人")), members.map(card))));
    if (!groups.length) {
      Dom.fill(result, el("div", { class: "empty" }, icon("check"), el("p", {}, search ?
        "名单里没有叫「" + search + "」的人。" : "今天要访的都访过了。")));
    }
  }

  /** One person; the bar and the word say how urgent, the last line what was last. */
  function card(person) {
    const entry = People.recorded(person.ref);
    const last = person.last && "上次 " + Moments.short(person.last.on) + " " + person.last.mode + " · " + person.last.result;
    const due = [person.home_only && "须上门", person.due && person.state !== People.MET && Moments.short(person.due) + "前"]
      .filter(Boolean).join(" ");
    const state = People.isBehind(person) ? person.state + " · 上月未访" : person.state;
    return el("button", { type: "button", class: "card " + (person.reported ? "plain" : TONES[person.state]), onclick: () => Form.open(person) },
      el("span", { class: "line" },
        el("span", {}, el("b", {}, person.name), el("span", { class: "tier" }, person.tier)),
        el("span", { class: "state" }, person.reported ? "" : state)),
      el("span", { class: "line small" }, el("span", {}, [person.village, person.door].filter(Boolean).join(" ")),
        el("span", { class: "due" }, person.reported ? "" : due)),
      person.must && el("span", { class: "must" }, icon("warning"), person.must),
      entry ? el("span", { class: "small own" }, Moments.clock(entry.record.at) + " " + entry.record.result + "（" + entry.state + "）") :
        People.draftOf(person.ref) ? el("span", { class: "small own" }, "有草稿，点开继续") :
          last && el("span", { class: "small" }, last));
  }

  return { render, found };
})();
