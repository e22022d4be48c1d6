"use strict";
/* 已访: drafts, what was sent back, what waits, what the server has; each opens to be mended. */
const Done = (function () {
  const { el, icon } = Dom;
  const TONES = { 草稿: "plain", 待上传: "attention", 已上传: "info", 已入库: "good", 被退回: "danger" };

  /** Records to be mended: refused by the server, or sent back by the township and not yet corrected here. */
  function returned() {
    const { records, list } = Session.state;
    const corrected = new Set(records.filter((entry) => entry.state !== Outbox.RETURNED && entry.record.at)
      .map((entry) => entry.record.corrects));
    const refused = records.filter((entry) => entry.state === Outbox.RETURNED)
      .map((entry) => ({ entry, record: entry.record, reason: entry.record.reason }));
    const sentBack = (list ? list.data.returned : []).filter((row) => !corrected.has(row.id)).map(function (row) {
      const own = records.find((entry) => entry.record.id === row.id);
      return { entry: null, reason: row.reason, record: own ? own.record : {
        id: row.id, elder: row.ref, name: row.name, village: "", at: Moments.iso(new Date(row.at)), mode: row.mode, result: row.result, marks: []
      } };
    });
    return refused.concat(sentBack);
  }

  function render(main) {
    Frame.title("已访", "done");
    const { records } = Session.state;
    const of = (...states) => records.filter((entry) => states.includes(entry.state));
    const drafts = of(Outbox.DRAFT);
    const back = returned();
    const waiting = of(Outbox.WAITING, Outbox.SENT);
    const toMend = new Set(back.map((row) => row.record.id));
    const stored = of(Outbox.STORED).filter((entry) => !toMend.has(entry.record.id));
    const met = People.all().filter((person) => person.state === People.MET);
    Dom.fill(main,
      section("被退回", back, (row) => item(row.record, Outbox.RETURNED, row.reason, () => Form.mend(row.record, Boolean(row.entry), row.reason))),
      section("草稿", drafts, (entry) => item(entry.record, entry.state, "没有保存，点开继续", () => Form.resume(entry.record))),
      section("待上传", waiting, (entry) => item(entry.record, entry.state,
        entry.state === Outbox.SENT ? "记录已入库，照片还没有传完" : "", () => ask(entry))),
      section("最近入库", stored, (entry) => item(entry.record, entry.state, entry.record.marks.join("、"), () => ask(entry))),
      section("本月已达标", met, metCard),
      !(drafts.length + back.length + waiting.length + stored.length + met.length) && el("div", { class: "empty" },
        icon("walk"), el("p", {}, "还没有探访记录。在「今日」里点一位老人开始。")));
  }

  function section(heading, rows, make) {
    return rows.length > 0 && el("section", {}, el("h2", {}, heading, el("span", {}, rows.length + (heading === "本月已达标" ? " 人" : " 条"))), rows.map(make));
  }

  /** Show what was recorded before anything of it is changed. */
  function ask(entry) {
    const { record } = entry;
    const kinds = Session.state.list ? Session.state.list.data.findings : [];
    const named = kinds.filter((kind) => kind.code in record.findings).map((kind) => kind.name);
    Frame.sheet(record.name, [
      Moments.clock(record.at) + " " + record.mode + " · " + record.result + (record.calm ? " · 平安" : ""),
      record.event_day && "日期：" + Moments.short(record.event_day),
      named.length && "发现：" + named.join("、"),
      record.risk && "风险：" + record.risk + "色",
      record.note && "备注：" + record.note,
      record.photos.length && "照片 " + record.photos.length + " 张",
      entry.state + (record.marks.length ? " · " + record.marks.join("、") : ""),
      "填错了可以更正，保存后替代原记录。"
    ], "更正", () => Form.mend(record, false, ""), "primary");
  }

  function item(record, state, detail, open) {
    const when = record.at ? Moments.clock(record.at) : "";
    const what = [record.mode, record.result].filter(Boolean).join(" · ");
    return el("button", { type: "button", class: "card " + TONES[state], onclick: open },
      el("span", { class: "line" }, el("span", {}, el("b", {}, record.name)), el("span", { class: "state" }, state)),
      el("span", { class: "line small" }, el("span", {}, what), el("span", { class: "due" }, when)),
      detail && el("span", { class: state === Outbox.RETURNED ? "must" : "small own" }, detail));
  }

  function metCard(person) {
    const last = person.last;
    return el("button", { type: "button", class: "card good", onclick: () => Form.open(person) },
      el("span", { class: "line" },
        el("span", {}, el("b", {}, person.name), el("span", { class: "tier" }, person.tier)),
        el("span", { class: "state" }, person.state)),
      el("span", { class: "small" }, last ? Moments.short(last.on) + " " + last.mode + " · " + last.result : person.village),
      el("span", { class: "small" }, "点开是多访一次，不改原记录"));
  }

  return { render, returned };
})();
