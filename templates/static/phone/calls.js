"use strict";
/* 电话连访: one person after the other; each result is one tap, and the next appears by itself. */
const Calls = (function () {
  const { el, icon } = Dom;
  const DOUBLE_TAP = 500;
  // over: settled in this row; shown, since: who is on the screen, and from when; said: what was saved last;
  // owner: who began the row
  let owner = null, saving = false, over = new Set(), numbers = new Map(), done = 0, shown = "", since = 0, said = "";

  function begin() {
    owner = Session.state.owner;
    over = new Set();
    numbers = new Map();
    done = 0;
    said = "";
  }

  function render(main) {
    Frame.title("电话连访", "");
    const queue = People.forCalls().filter((person) => !over.has(person.ref));
    const person = queue[0];
    if (person && person.ref !== shown) {
      shown = person.ref;
      since = Date.now();
    }
    Dom.fill(main, person ? [
      el("p", { class: "small", role: "status" }, said + "还有 " + queue.length + " 人，本次已访 " + done + " 人"),
      unlisted(),
      el("section", { class: "call" }, el("b", {}, person.name),
        el("p", {}, [person.village, person.door].filter(Boolean).join(" ")),
        el("p", { class: "small" }, person.last ? "上次 " + Moments.short(person.last.on) + " " + person.last.mode + " · " + person.last.result : "还没有探访记录"),
        number(person)),
      el("section", { class: "outcomes" },
        el("button", { type: "button", class: "button primary wide", onclick: () => record(person, "联系到本人") }, "联系到本人 · 平安"),
        el("button", { type: "button", class: "button wide", onclick: () => Form.open(person, "电话", { result: "联系到本人", calm: false }) }, "联系到本人 · 有情况"),
        el("button", { type: "button", class: "button wide", onclick: () => record(person, "未联系上") }, "未联系上"),
        el("div", { class: "halves" },
          el("button", { type: "button", class: "button", onclick: () => Form.open(person, "电话") }, "其他结果"),
          el("button", { type: "button", class: "button", onclick: () => next(person) }, "先跳过")))
    ] : el("div", { class: "empty" }, icon("check"), el("p", {}, "这一轮电话都打完了，本次已访 " + done + " 人。"),
      unlisted(), el("button", { type: "button", class: "button primary", onclick: Screens.back }, "回到今日")));
  }

  /** Who is not in the row, so that nobody is forgotten. */
  function unlisted() {
    const count = People.withoutPhone();
    return count > 0 && el("p", { class: "small" }, count + " 人没有电话，请上门");
  }

  /** The full number is asked of the server one by one; it is shown, never stored. */
  function number(person) {
    const known = numbers.get(person.ref);
    if (known) { return el("a", { class: "button dial wide", href: "tel:" + known }, icon("phone"), known); }
    return el("button", { type: "button", class: "button dial wide", onclick: () => reveal(person) }, icon("phone"), "拨打 " + person.phone);
  }

  async function reveal(person) {
    try {
      const answer = await Sync.asOwner((csrf) => Server.post("/m/call/", csrf, { ref: person.ref }));
      numbers.set(person.ref, answer.phone);
      Screens.draw();
    } catch (fault) {
      Frame.say({ network: "没有网络，查不到完整号码。", signin: "登录已过期，请先登录。" }[fault.kind] || fault.detail || "现在查不到号码。", "danger");
    }
  }

  async function record(person, result) {
    // the second half of a double tap must not answer for the next person
    if (saving || Date.now() - since < DOUBLE_TAP) { return; }
    const made = Outbox.blank(person, "电话");
    Object.assign(made, { result, calm: result === "联系到本人" ? true : null, at: Moments.iso(new Date()) });
    saving = true;
    try {
      await Session.keep(owner, made, Outbox.WAITING);
    } catch (fault) {
      said = Session.NOT_KEPT + "。";
      Screens.draw();
      return;
    } finally {
      saving = false;
    }
    done += result === "联系到本人" ? 1 : 0;
    said = "已保存：" + person.name + " · " + result + "。";
    next(person);
    Sync.soon();
  }

  function next(person) {
    over.add(person.ref);
    Screens.draw();
  }

  return { begin, render };
})();
