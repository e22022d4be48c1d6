"use strict";
/* One record: way, result, what was found, saved with one button. Every tap is kept at once as a draft. */
const Form = (function () {
  const { el, icon, chip } = Dom;
  const PHOTOS = 3;
  // record: what is being filled, null once it is saved; kept: it lies in the phone as a draft;
  // owner: who began it, and whose it stays whoever signs in meanwhile; saving: records that change no more; working:
  // photos that are being made small
  let person = null, record = null, kept = false, owner = null, working = Promise.resolve();
  const saving = new Set();

  /** Begin with a person, or go on with the draft that is there. answers: what was tapped on the way here. */
  async function open(who, mode, answers) {
    const draft = People.draftOf(who.ref);
    if (draft && !answers) {
      await resume(draft.record);
      return;
    }
    // at the door, whatever the last visit was; calls are made one after the other in 电话连访
    const home = who.modes.includes("上门") ? "上门" : who.modes[0];
    start(who, Outbox.blank(who, mode || home), false);
    if (answers) { change(answers); }
  }

  /** Go on with a draft, under a new UUID: two tabs that go on with one draft make two records, not one twice. */
  async function resume(draft) {
    const mine = JSON.parse(JSON.stringify(draft));
    await Outbox.renew(Session.state.owner, mine, Outbox.DRAFT);
    await Session.refresh();
    start(People.ofRecord(mine), mine, true);
  }

  /** Mend a record by a new one, as the visit was then. What the phone still has of it is filled in, but never what
      came of the visit. A refused one is not known to the server: the new one takes its place. */
  function mend(old, refused, reason) {
    const who = People.ofRecord(old);
    const { latitude = null, longitude = null, accuracy = null } = old;
    const made = Outbox.blank(who, old.mode);
    Object.assign(made, {
      corrects: refused ? old.corrects : old.id, replaces: refused ? old.id : null, note: old.note || "",
      mends: {
        at: old.at, latitude, longitude, accuracy, sentBack: refused ? Boolean(old.mends && old.mends.sentBack) : Boolean(reason),
        told: "原记录：" + [Moments.clock(old.at), old.mode, old.result].join(" ") + (reason ? "。退回原因：" + reason : "")
      }
    });
    if (old.calm === false) { Object.assign(made, { calm: false, findings: Object.assign({}, old.findings), risk: old.risk }); }
    start(who, made, false);
  }

  function start(who, what, isDraft) {
    person = who;
    record = what;
    kept = isDraft;
    owner = Session.state.owner;
    if (record.mode === "上门") { Place.look(); }
    Screens.go("form");
  }

  /** Change the record by a tap, keep it, show it. */
  function change(values) {
    if (!record || saving.has(record)) { return; }
    Object.assign(record, values);
    Answers.tidy(record);
    keep();
    draw();
  }

  async function keep() {
    if (saving.has(record)) { return; }
    kept = true;
    say("kept", "");
    try {
      await Session.keep(owner, record, Outbox.DRAFT);
      say("kept", "草稿已自动保存");
    } catch (fault) {
      say("fault", "手机存储已满或不可用，草稿没有保存，请先上传或清理");
    }
  }

  /** Write into one of the two lines above the button. */
  function say(id, text) {
    const line = document.getElementById(id);
    if (line) { line.textContent = text; }
  }

  function choose(result) {
    change({ result, note: Answers.isReason(record.note) ? "" : record.note });
    window.scrollTo(0, 0);
  }

  function render(main) {
    Frame.title(person.name, "");
    draw(main);
  }

  function draw(given) {
    const main = given || document.getElementById("main");
    if (!record || Screens.current() !== "form") { return; }
    Dom.fill(main, head(), record.mends && times(), ways(), results(),
      Answers.isMade(record.result) ? condition() : null,
      record.calm === false ? findings() : null,
      Answers.isLeaving(record.result) ? eventDay() : null,
      Answers.NOT_MADE.includes(record.result) ? reason() : null,
      record.result ? extras() : null,
      kept || record.replaces ? el("button", { type: "button", class: "button wide quiet", onclick: askToDrop },
        record.replaces ? "删除这条记录" : "删除草稿") : null,
      el("div", { class: "save" }, el("p", { id: "kept", class: "kept" }), el("p", { id: "fault", class: "fault", role: "alert" }),
        el("button", { type: "button", class: "button primary wide", onclick: save }, "保存")));
  }

  function head() {
    const last = person.last;
    return el("section", { class: "head" },
      person.name.length > 6 && el("p", {}, el("b", {}, person.name)), // too long for the title
      el("p", {}, [person.village, person.door].filter(Boolean).join(" "), person.tier && el("span", { class: "tier" }, person.tier)),
      last && el("p", { class: "small" }, "上次 " + Moments.short(last.on) + " " + last.mode + " · " + last.result),
      person.must && el("p", { class: "must" }, icon("warning"), person.must),
      record.mends ? el("p", { class: "note attention" }, record.mends.told) :
        person.state === People.MET && el("p", { class: "note" }, "本月已达标，现在登记的是多访一次。"));
  }

  /** Which visit it is about: the one of then, as it should have been recorded, or one that was made since. */
  function times() {
    const one = (text, again) => chip(text, Boolean(record.again) === again, () => change({ again }));
    return group("这次填的是", "chips halves", [one("改填那一次", false), one("重新去访了", true)]);
  }

  function ways() {
    const modes = person.modes.includes(record.mode) ? person.modes : [record.mode].concat(person.modes);
    return group("怎么访的", "chips modes", modes.map((mode) => chip(mode, record.mode === mode, function () {
      if (mode === "上门") { Place.look(); }
      change(Answers.made(mode).includes(record.result) || !Answers.isMade(record.result) ? { mode } : { mode, result: "" });
    })));
  }

  function results() {
    const one = (result, kind) => chip(result, false, () => choose(result), { class: "chip " + kind });
    const [first, ...others] = Answers.made(record.mode);
    // once chosen, the other choices make room for what comes next
    if (record.result) {
      return group("结果", "chips chosen", [
        chip(record.result, true, () => change({ result: "" }), { class: "chip big on" }),
        chip("改选", false, () => change({ result: "" }))
      ]);
    }
    return group(record.mode === "电话" ? "联系到本人了吗" : "见到本人了吗", "chips results", [one(first, "first")].concat(
      others.map((result) => one(result, "")), Answers.NOT_MADE.map((result) => one(result, "")),
      Answers.LEAVING.map((result) => one(result, "grave"))));
  }

  function condition() {
    return group("老人情况", "chips halves", [
      chip("平安", record.calm === true, () => change({ calm: true }), { class: "chip big" + (record.calm === true ? " on" : "") }),
      chip("有情况", record.calm === false, () => change({ calm: false }), { class: "chip big" + (record.calm === false ? " on" : "") })
    ]);
  }

  function findings() {
    const kinds = Session.state.list ? Session.state.list.data.findings : [];
    const names = Array.from(new Set(kinds.map((kind) => kind.group)));
    const toggle = function (kind) {
      const next = Object.assign({}, record.findings);
      if (kind.code in next) { delete next[kind.code]; }
      else { next[kind.code] = ""; }
      record.findings = next;
      change({ risk: Answers.riskOf(record, kinds) });
    };
    return [
      names.map((name) => group(name, "chips halves", kinds.filter((kind) => kind.group === name).map((kind) =>
        chip(kind.name, kind.code in record.findings, () => toggle(kind))))),
      group("风险（红色为紧急）", "chips", Answers.RISKS.map(([risk, word]) => chip(word, record.risk === risk, () => change({ risk }), {
        class: "chip" + (record.risk === risk ? " on" : "") + (risk ? " risk-" + (risk === "红" ? "red" : "yellow") : "")
      }))),
      record.risk === "红" && el("p", { class: "note danger" }, "有生命危险请立即打 120 或 110，并告诉家属和村、镇干部。")
    ];
  }

  /** The day alone asks to be confirmed, because it stops payments. */
  function eventDay() {
    const word = record.result === "已故" ? "哪天去世的" : "哪天迁走的";
    const pick = (day) => function () {
      change({ event_day: day });
      save();
    };
    return [
      group(word, "chips", [["今天", 0], ["昨天", 1], ["前天", 2]].filter(([, ago]) => Moments.daysAgo(ago) <= Answers.lastDay(record)).map(([name, ago]) =>
        chip(name, record.event_day === Moments.daysAgo(ago), pick(Moments.daysAgo(ago))))),
      el("label", { class: "field" }, el("span", {}, "其他日期"), el("input", {
        type: "date", max: Answers.lastDay(record), value: record.event_day || "", onchange: (event) => event.target.value && pick(event.target.value)()
      }))
    ];
  }

  function reason() {
    return group("原因（可不选）", "chips", Answers.reasons(record.mode, record.result).map((text) =>
      chip(text, record.note === text, () => change({ note: record.note === text ? "" : text }))));
  }

  function extras() {
    const previews = el("div", { class: "previews" });
    showPhotos(previews);
    return el("section", { class: "extras" },
      el("label", { class: "button wide photo" + (record.photos.length >= PHOTOS ? " full" : "") }, icon("camera"),
        record.photos.length ? "再拍一张（" + record.photos.length + "/" + PHOTOS + "）" : "拍照（可不拍）",
        el("input", { type: "file", accept: "image/*", capture: "environment", onchange: addPhoto, disabled: record.photos.length >= PHOTOS })),
      previews,
      el("label", { class: "field" }, el("span", {}, "备注（可不填）"), el("textarea", {
        rows: 2, maxlength: 500, oninput: function (event) {
          record.note = event.target.value;
          keep();
        }
      }, record.note)));
  }

  function addPhoto(event) {
    const file = event.target.files[0];
    if (file && !saving.has(record)) { working = Promise.all([working, takePhoto(owner, record, file)]); }
  }

  async function takePhoto(whose, target, file) {
    let bytes;
    try {
      bytes = await Photo.shrink(file);
    } catch (problem) {
      Frame.say("这张照片打不开，请重拍。", "danger");
      return;
    }
    try {
      if (target.photos.length < PHOTOS) { await Outbox.addPhoto(whose, target, bytes); }
    } catch (fault) {
      Frame.say("手机存储已满或不可用，这张照片没有保存，请先上传或清理。", "danger");
      return;
    }
    if (target !== record || saving.has(target)) { return; }
    keep();
    draw();
  }

  async function showPhotos(place) {
    for (const id of record.photos.slice()) {
      const bytes = await Outbox.photoBytes(owner, id);
      if (!bytes) { continue; }
      const canvas = await Photo.preview(bytes);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", "照片");
      place.append(el("div", {}, canvas, el("button", { type: "button", "aria-label": "删除这张照片", onclick: async function () {
        await Outbox.removePhoto(record, id);
        keep();
        draw();
      } }, icon("cross"))));
    }
  }

  /** A section of choices under a heading. */
  function group(heading, kind, chips) {
    return chips.length > 0 && el("section", { class: "group", role: "group", "aria-label": heading }, el("h2", {}, heading), el("div", { class: kind }, chips));
  }

  function save() {
    const fault = Answers.missing(record);
    if (fault) {
      document.getElementById("fault").textContent = fault;
      return;
    }
    if (Answers.isLeaving(record.result)) { confirm(); }
    else { finish(); }
  }

  /** Death and moving out cannot be taken for a slip of the thumb: they are asked for once. */
  function confirm() {
    const gone = record.result === "已故" ? "去世" : "迁走";
    Frame.sheet("确认上报：" + person.name + "，" + Moments.short(record.event_day) + gone + "？",
      ["上传后会通知镇（街）核实并办理停发。"], "确认上报", finish);
  }

  function askToDrop() {
    Frame.sheet(record.replaces ? "删除这条被退回的记录？" : "删除这条草稿？", ["删除后不能恢复，平台上没有这条记录。"], "删除", drop);
  }

  /** Throw the draft away, and the refused record that it was to replace. */
  async function drop() {
    if (!record || saving.has(record)) { return; }
    const { id, replaces } = record;
    record = null;
    await working;
    await Outbox.drop(owner, id);
    if (replaces) { await Outbox.drop(owner, replaces); }
    await Session.refresh();
    Screens.back();
  }

  /** When and where it was. A visit made anew leaves a standing record as it is; only one that was sent back, and
      counts for nothing, is answered by it. */
  function place(saved) {
    const then = saved.mends;
    if (Answers.isOfThen(saved)) {
      saved.at = then.at;
      if (saved.mode === "上门") {
        Object.assign(saved, { latitude: then.latitude, longitude: then.longitude, accuracy: then.accuracy });
      }
      return;
    }
    if (then && !then.sentBack) { saved.corrects = null; }
    saved.at = Moments.iso(new Date());
    if (saved.mode === "上门") { Object.assign(saved, Place.taken()); }
  }

  /** Save as it is: from here on the record does not change, so that sending it twice is sending it once. */
  async function finish() {
    if (!record || saving.has(record)) { return; }
    const whose = owner, target = record;
    saving.add(target);
    say("kept", "正在保存…");
    await working;
    const saved = Object.assign({}, target);
    place(saved);
    try {
      await Session.keep(whose, saved, Outbox.WAITING);
    } catch (fault) {
      saving.delete(target);
      draw();
      say("fault", Session.NOT_KEPT);
      return;
    }
    const open = record === target && Screens.current() === "form";
    if (record === target) { record = null; }
    saving.delete(target);
    if (saved.replaces) {
      await Outbox.drop(whose, saved.replaces);
      await Session.refresh();
    }
    Today.found();
    Frame.say("已保存在手机里，待上传");
    if (open) { Screens.back(); }
    Sync.soon();
  }

  return { open, resume, mend, render };
})();
