"use strict";
/* Who is still to be seen, from the server's list and what this phone recorded since. */
const People = (function () {
  const MET = "已达标";
  const GROUPS = ["今天必须上门", "逾期", "今日到期", "本周到期", "待访"];
  const REPORTED = "已上报，待核实";
  const TRIED = "未联系上";
  const MODES = ["上门", "电话", "视频", "智能设备"];

  const all = () => (Session.state.list ? Session.state.list.data.people : []);

  /** The newest record of this phone about a person that is saved: of today, or not yet confirmed. */
  function recorded(ref) {
    const today = Moments.day(new Date());
    const found = Session.state.records.find((entry) => entry.record.elder === ref && entry.record.at &&
      entry.state !== Outbox.RETURNED && (entry.state !== Outbox.STORED || entry.record.at.slice(0, 10) === today));
    return found || null;
  }

  /** Whether today's work with this person is over; somebody not reached may be tried again. */
  function finished(person) {
    const entry = recorded(person.ref);
    return person.state === MET || Boolean(entry && entry.record.result !== TRIED);
  }

  /** [[heading, people]] of whom is still to be seen; a search looks among everybody. */
  function groups(village, search) {
    const wanted = all().filter((person) => (!village || person.village === village) && (
      search ? person.name.includes(search) : !finished(person)));
    const byGroup = new Map(GROUPS.concat(MET, REPORTED).map((name) => [name, []]));
    for (const person of wanted) {
      byGroup.get(person.reported ? REPORTED : person.must ? GROUPS[0] : person.state).push(person);
    }
    return Array.from(byGroup).filter(([, people]) => people.length);
  }

  const villages = () => Array.from(new Set(all().map((person) => person.village)));

  /** Who may be visited by phone now: not who has to be seen at home, nor who was reported gone. */
  const callable = () => all().filter((person) => person.modes.includes("电话") && !person.home_only && !person.must &&
    person.state !== MET && !recorded(person.ref));
  const forCalls = () => callable().filter((person) => person.phone);

  /** How many of them have no number: somebody has to go there. */
  const withoutPhone = () => callable().filter((person) => !person.phone).length;

  /** Overdue for last month alone: this month's day is still to come. */
  const isBehind = (person) => person.state === "逾期" && Boolean(person.due) && person.due >= Moments.day(new Date());

  const draftOf = (ref) => Session.state.records.find((entry) => entry.state === Outbox.DRAFT && entry.record.elder === ref);

  /** The person of a record, also when the list no longer has them. */
  function ofRecord(record) {
    return all().find((person) => person.ref === record.elder) || {
      ref: record.elder, name: record.name, village: record.village, door: "", tier: "", modes: MODES, last: null, phone: ""
    };
  }

  return { MET, all, recorded, groups, villages, forCalls, withoutPhone, isBehind, draftOf, ofRecord };
})();
