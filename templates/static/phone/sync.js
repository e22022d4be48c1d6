"use strict";
/* Sending what waits and fetching the list. One tab at a time; whatever goes wrong, records stay until the server
   has confirmed them, and the server takes the same record twice as once. */
const Sync = (function () {
  const BATCH = 50;
  const PAUSES = [5, 15, 30, 60, 120, 300];
  let failures = 0, timer = 0, running = null, again = false;

  /** Start now, or once more after the one that runs. Resolves when done; never rejects. */
  function now() {
    clearTimeout(timer);
    if (running) {
      again = true;
      return running;
    }
    running = alone(round).then(function () {
      running = null;
      if (again) {
        again = false;
        return now();
      }
      return undefined;
    });
    return running;
  }

  /** A little later: several taps in a row go out together. */
  function soon() {
    clearTimeout(timer);
    timer = setTimeout(now, 1200);
  }

  /** Only one tab sends at a time; the next reads the outbox afresh. */
  function alone(work) {
    return navigator.locks ? navigator.locks.request("visits-phone-sync", work) : work();
  }

  async function round() {
    const state = Session.state;
    if (!navigator.onLine) {
      settle("offline", "");
      return;
    }
    settle("busy", "");
    try {
      await Session.reload();
      if (!await Session.finishLeaving()) { throw Object.assign(new Error("network"), { kind: "network" }); }
      if (!state.list) { await pull(); }
      const before = Session.waiting();
      const skipped = await push();
      await pull();
      failures = 0;
      state.syncedAt = Date.now();
      const sent = before - Session.waiting();
      settle("online", skipped ? skipped + " 条暂时没有传上，稍后自动再传" : "");
      if (sent > 0 && !Screens.inTask()) { Frame.say("已入库 " + sent + " 条"); }
      if (skipped) { retry(); }
    } catch (fault) {
      if (fault.kind === "switched") { again = true; }
      else if (fault.kind === "signin") { settle("signin", ""); }
      else if (fault.kind === "forbidden") { settle("forbidden", fault.detail); }
      else if (fault.kind) {
        settle(fault.kind === "network" ? "offline" : "online", fault.kind === "network" ? "" : "平台暂时不能处理，稍后自动再传");
        retry();
      } else {
        settle("online", "手机出了问题，记录没有丢失，请关闭后重新打开");
        throw fault;
      }
    } finally {
      Session.tellTabs("changed");
    }
  }

  function settle(net, trouble) {
    Session.state.net = net;
    Session.state.trouble = trouble;
    Session.changed();
  }

  /** Try again by itself after a pause that grows. */
  function retry() {
    const pause = PAUSES[Math.min(failures, PAUSES.length - 1)];
    failures += 1;
    timer = setTimeout(now, pause * 1000 * (0.8 + 0.4 * Math.random()));
  }

  async function pull() {
    await Session.become(await Server.get("/m/data/"));
  }

  /** Do it with the token of this user. A refused token may be an old one, or another user's session by now: then the
      list is fetched again, and nothing of the former user is sent in the name of the new one. */
  async function asOwner(work) {
    const owner = Session.state.owner;
    try {
      return await work(Session.state.list.data.csrf);
    } catch (fault) {
      if (fault.kind !== "forbidden") { throw fault; }
      await pull();
      if (Session.state.owner.user !== owner.user) { throw Object.assign(new Error("switched"), { kind: "switched" }); }
      return work(Session.state.list.data.csrf);
    }
  }

  /** Send everything; returns how many records could not be stored this time. */
  async function push() {
    const owner = Session.state.owner;
    const skipped = new Set();
    let replay = false;
    for (;;) {
      const due = (await Outbox.list(owner)).filter((entry) => entry.state === Outbox.WAITING && !skipped.has(entry.record.id));
      // oldest first; with nothing to send the server still learns that the phone is there and may ask for a replay
      const answer = await send(owner, due.reverse().slice(0, BATCH), due.length, skipped);
      replay = replay || answer;
      if (due.length <= BATCH && !(await Outbox.list(owner)).some(
        (entry) => entry.state === Outbox.WAITING && !skipped.has(entry.record.id))) { break; }
    }
    if (replay) { await replayReceipts(owner); }
    const photos = await pushPhotos(owner);
    return skipped.size + photos;
  }

  /** One request. Where the server fails over it, halves are sent, so that one bad record never blocks the rest. */
  async function send(owner, entries, waiting, skipped) {
    const last = (await Outbox.receipts(owner))[0];
    let answer;
    try {
      answer = await asOwner((csrf) => Server.post("/m/sync/", csrf, {
        sent_at: Moments.iso(new Date()), last: last ? last.id : null, waiting,
        records: entries.map((entry) => Outbox.wire(entry.record))
      }));
    } catch (fault) {
      const busy = [429, 502, 503, 504].includes(fault.status);
      if (fault.kind !== "refused" || busy || !entries.length) { throw fault; }
      if (entries.length === 1) {
        skipped.add(entries[0].record.id);
        return false;
      }
      const half = Math.ceil(entries.length / 2);
      const first = await send(owner, entries.slice(0, half), waiting, skipped);
      const second = await send(owner, entries.slice(half), waiting, skipped);
      return first || second;
    }
    const byId = new Map(entries.map((entry) => [entry.record.id, entry.record]));
    for (const result of answer.results) {
      const record = byId.get(result.id);
      byId.delete(result.id);
      if (record) { await settleRecord(owner, record, result); }
    }
    for (const id of byId.keys()) { skipped.add(id); }
    return answer.replay;
  }

  /** What the server said of one record. */
  async function settleRecord(owner, record, result) {
    if (result.state === "conflict") {
      await Outbox.renew(owner, record, Outbox.WAITING);
      return;
    }
    if (result.state === "rejected") {
      record.reason = result.reason;
      await Outbox.keep(owner, record, Outbox.RETURNED);
      return;
    }
    record.marks = result.marks || [];
    // the receipt first: a tab killed between the two sends the record again, which changes nothing
    await Outbox.keepReceipt(owner, record.id, result.receipt);
    const photos = await Outbox.photosOf(owner, record.id);
    await Outbox.keep(owner, record, photos.length ? Outbox.SENT : Outbox.STORED);
  }

  /** Send photos of records that the server has; returns how many records still wait for one. */
  async function pushPhotos(owner) {
    let left = 0;
    for (const entry of (await Outbox.list(owner)).filter((found) => found.state === Outbox.SENT)) {
      const record = entry.record;
      let done = true;
      for (const photo of await Outbox.photosOf(owner, record.id)) {
        try {
          const bytes = await Sealing.openBytes(owner.key, photo.box);
          await asOwner((csrf) => Server.putPhoto("/m/photos/" + photo.id + "/?visit=" + record.id, csrf, bytes));
        } catch (fault) {
          if (fault.kind !== "refused") { throw fault; }
          if (fault.status !== 400) {
            done = false;
            continue;
          }
          record.marks = record.marks.concat("照片未收：" + fault.detail);
        }
        await Store.remove("photos", photo.id);
      }
      if (done) { await Outbox.keep(owner, record, Outbox.STORED); }
      else { left += 1; }
    }
    return left;
  }

  /** The server lost its newest records (restored from an older backup): give back what it sealed for us. */
  async function replayReceipts(owner) {
    const receipts = await Outbox.receipts(owner);
    for (let from = 0; from < receipts.length; from += BATCH) {
      await asOwner((csrf) => Server.post("/m/replay/", csrf, {
        receipts: receipts.slice(from, from + BATCH).map((row) => row.receipt)
      }));
    }
  }

  /** Begin at once on everything that makes success likely. */
  function watch() {
    window.addEventListener("online", function () {
      failures = 0;
      now();
    });
    window.addEventListener("offline", () => settle("offline", ""));
    document.addEventListener("visibilitychange", function () {
      if (document.visibilityState !== "visible") { return; }
      Session.expire();
      failures = 0;
      if (Session.waiting() || Date.now() - Session.state.syncedAt > 60000) { now(); }
    });
    setInterval(Session.expire, 60000);
  }

  return { now, soon, watch, asOwner };
})();
