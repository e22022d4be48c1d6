"use strict";
/* Days and times as the phone's clock has them; the server measures how far that clock is off. */
const Moments = (function () {
  const two = (number) => String(number).padStart(2, "0");

  /** 2026-11-22 in the phone's own zone. */
  function day(moment) {
    return moment.getFullYear() + "-" + two(moment.getMonth() + 1) + "-" + two(moment.getDate());
  }

  /** The day this many days before today. */
  function daysAgo(days) {
    const now = new Date();
    return day(new Date(now.getFullYear(), now.getMonth(), now.getDate() - days));
  }

  /** ISO with the offset, as the server wants it: 2026-11-22T09:30:05+08:00. */
  function iso(moment) {
    const minutes = -moment.getTimezoneOffset();
    const zone = (minutes < 0 ? "-" : "+") + two(Math.floor(Math.abs(minutes) / 60)) + ":" + two(Math.abs(minutes) % 60);
    return day(moment) + "T" + two(moment.getHours()) + ":" + two(moment.getMinutes()) + ":" + two(moment.getSeconds()) + zone;
  }

  /** 11月22日 of a day or an ISO time. */
  function short(text) {
    const [, month, date] = text.slice(0, 10).split("-");
    return Number(month) + "月" + Number(date) + "日";
  }

  /** 今天 09:30, 11月21日 09:30. */
  function clock(text) {
    const moment = new Date(text);
    const on = day(moment);
    return (on === day(new Date()) ? "今天" : short(on)) + " " + two(moment.getHours()) + ":" + two(moment.getMinutes());
  }

  return { day, daysAgo, iso, short, clock };
})();
