"use strict";
/* What a record may say: which results go with which way of visiting, stock reasons, and what is still missing. */
const Answers = (function () {
  const SEEN = "见到本人", REACHED = "联系到本人", OTHERS = "见到家属/邻居";
  const NOT_MADE = ["未联系上", "外出", "住院", "拒绝", "入机构"];
  const LEAVING = ["已故", "已迁出"];
  const REASONS = {
    未联系上: ["敲门没人应", "电话没人接", "电话停机"], 外出: ["走亲戚", "赶集办事", "到外地子女家"],
    住院: ["县医院", "镇卫生院", "外地医院"], 拒绝: ["不愿被打扰", "家人不同意"], 入机构: ["敬老院", "养老院"]
  };
  const CALL_REASONS = ["没人接听", "关机", "停机或空号"];
  const RISKS = [["", "无"], ["黄", "黄色"], ["红", "红色"]];

  /** The result of a visit that was made, in this way of visiting. */
  function made(mode) {
    if (mode === "上门") { return [SEEN, OTHERS]; }
    return mode === "视频" ? [SEEN] : [REACHED];
  }

  const isMade = (result) => [SEEN, REACHED, OTHERS].includes(result);
  const isLeaving = (result) => LEAVING.includes(result);
  /** Whether a note is one of the stock reasons, which go with their result. */
  const isReason = (note) => CALL_REASONS.concat(...Object.values(REASONS)).includes(note);
  const reasons = (mode, result) => (mode === "电话" && result === NOT_MADE[0] ? CALL_REASONS : REASONS[result] || []);

  /** What keeps a record from being saved, as a sentence; '' when nothing does. */
  function missing(record) {
    if (!record.mode) { return "请选择探访方式"; }
    if (!record.result) { return "请选择探访结果"; }
    if (isMade(record.result) && record.calm === null) { return "请选择：平安，还是有情况"; }
    if (record.calm === false && !Object.keys(record.findings).length && !record.note.trim()) {
      return "请点选发现的情况，或在备注里写明";
    }
    if (isLeaving(record.result) && !record.event_day) { return "请选择日期"; }
    if (isLeaving(record.result) && record.event_day > lastDay(record)) { return "日期不能晚于探访当天"; }
    return "";
  }

  /** Whether the record mends another one as that visit was, at its own time; otherwise it is a visit made now. */
  const isOfThen = (record) => Boolean(record.mends && !record.again);

  /** The day of the visit: nobody dies or moves away after the visit that tells of it. */
  const lastDay = (record) => Moments.day(isOfThen(record) ? new Date(record.mends.at) : new Date());

  /** The highest risk of what was found, by the county's list. */
  function riskOf(record, kinds) {
    const found = kinds.filter((kind) => kind.code in record.findings).map((kind) => kind.risk);
    return found.includes("红") ? "红" : found.includes("黄") ? "黄" : "";
  }

  /** Drop answers that no longer belong to what was chosen; what was found waits for the result. */
  function tidy(record) {
    if (!isMade(record.result) && (record.result || record.calm)) { record.calm = null; }
    if (record.calm !== false) {
      record.findings = {};
      record.risk = "";
    }
    if (!isLeaving(record.result)) { record.event_day = null; }
  }

  return { NOT_MADE, LEAVING, RISKS, made, isMade, isLeaving, isReason, isOfThen, lastDay, reasons, missing, riskOf, tidy };
})();
