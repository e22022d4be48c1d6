"use strict";
/* Sending what waits and fetching the list. One tab at a time; whatever goes wrong, records stay until the server
   has confirmed them, and the server takes the same record twice as once. */
const Sync = (function () {
  const BATCH = 50;
  const LATER = "稍后自动再传";
  const PAUSES = [5, 15, 30, 60, 120, 300];
  let failures = 0, timer = 0, running = null, again = false;

  /** Start now, or once more after the one that runs. Resolves when done; never rejects. */
  function now() {
    clearTimeout(timer);
    if (running) {
      again = true;
      return running;
    }
    running = alone(round).then(next, function (fault) {
      console.error(fault);
      retry();
      return next();
    });
    return running;
  }

  function next() {
    running = null;
    if (!again) { return undefined; }
    again = false;
    return now();
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
      await Session.finishLeaving();
      if (!state.list) { await pull(); }
      const before = Session.waiting();
      const skipped = await push();
      await pull();
      failures = 0;
      state.syncedAt = Date.now();
      const sent = before - Session.waiting();
      settle("online", skipped.count ? skipped.count + " 条暂时没有传上，" + (skipped.reason || LATER) : "");
      if (sent > 0 && !Screens.inTask()) { Frame.say("已入库 " + sent + " 条"); }
      if (skipped.count) { retry(); }
    } catch (fault) {
      if (fault.kind === "switched") { again = true; }
      else if (fault.kind === "signin") { settle("signin", ""); }
      else if (fault.kind === "forbidden") { settle("forbidden", fault.detail); }
      else if (fault.kind) {
        settle(fault.kind === "network" ? "offline" : "online", fault.kind === "network" ? "" : fault.detail || "平台暂时不能处理，" + LATER);
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

  /** Send everything; returns {count, reason} of the records that could not be stored this time. */
  async function push() {
    const owner = Session.state.owner;
    const skipped = new Map();
    for (;;) {
      const due = (await Outbox.list(owner)).filter((entry) => entry.state === Outbox.WAITING && !skipped.has(entry.record.id));
      // oldest first; with nothing to send the server still learns that the phone is there and may ask for a replay
      await send(owner, due.reverse().slice(0, BATCH), due.length, skipped);
      if (due.length <= BATCH && !(await Outbox.list(owner)).some(
        (entry) => entry.state === Outbox.WAITING && !skipped.has(entry.record.id))) { break; }
    }
    const receipts = await replayReceipts(owner);
    const photos = await pushPhotos(owner);
    return { count: skipped.size + receipts + photos, reason: Array.from(skipped.values()).find(Boolean) || "" };
  }

  /** A server that is not well: asking it for the next thing would be refused as well. */
  const isBusy = (fault) => [429, 502, 503, 504].includes(fault.status);

  /** One request. Where the server fails over it, halves are sent, so that one bad record never blocks the rest. What
      could not be stored is put into `skipped` with the server's reason. */
  async function send(owner, entries, waiting, skipped) {
    const last = (await Outbox.receipts(owner))[0];
    let answer;
    try {
      answer = await asOwner((csrf) => Server.post("/m/sync/", csrf, {
        sent_at: Moments.iso(new Date()), last: last ? last.id : null, waiting,
        records: entries.map((entry) => Outbox.wire(entry.record))
      }));
    } catch (fault) {
      if (fault.kind !== "refused" || isBusy(fault) || !entries.length) { throw fault; }
      if (entries.length === 1) {
        skipped.set(entries[0].record.id, fault.detail);
        return;
      }
      const half = Math.ceil(entries.length / 2);
      await send(owner, entries.slice(0, half), waiting, skipped);
      await send(owner, entries.slice(half), waiting, skipped);
      return;
    }
    // noted before anything else: once a record of this answer is the newest receipt, the server does not ask again
    if (answer.replay) { await oweReceipts(owner); }
    const byId = new Map(entries.map((entry) => [entry.record.id, entry.record]));
    for (const result of answer.results) {
      const record = byId.get(result.id);
      byId.delete(result.id);
      if (record) { await settleRecord(owner, record, result); }
    }
    for (const id of byId.keys()) { skipped.set(id, ""); }
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
    const pictured = new Set((await Store.of("photos", owner.user)).map((photo) => photo.visit));
    for (const entry of (await Outbox.list(owner)).filter(
      (found) => found.state === Outbox.SENT || found.state === Outbox.STORED && pictured.has(found.record.id))) {
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

  /** The server lost its newest records (restored from an older backup): it is owed every receipt that we have. */
  async function oweReceipts(owner) {
    const ids = (await Outbox.receipts(owner)).map((row) => row.id);
    await Store.put("marks", { name: "replay:" + owner.user, value: ids });
  }

  /** Give back what the server sealed for us, oldest first, and strike off what it has answered for good; the rest
      stays owed for the next sync. Returns how many receipts it failed over. */
  async function replayReceipts(owner) {
    const name = "replay:" + owner.user;
    const owed = new Set(await Store.mark(name) || []);
    if (!owed.size) { return 0; }
    const rows = (await Outbox.receipts(owner)).filter((row) => owed.has(row.id)).reverse();
    if (!rows.length) { await Store.remove("marks", name); } // older than a receipt is kept
    const later = new Set();
    let failed = 0;
    for (let from = 0; from < rows.length; from += BATCH) {
      const batch = rows.slice(from, from + BATCH);
      let results = [];
      try {
        const answer = await asOwner((csrf) => Server.post("/m/replay/", csrf, { receipts: batch.map((row) => row.receipt) }));
        results = answer.results;
      } catch (fault) {
        if (fault.kind !== "refused" || isBusy(fault)) { throw fault; }
        failed += batch.length;
      }
      batch.forEach(function (row, place) {
        const result = results[place];
        if (!result || result.state === "later") { later.add(row.id); }
      });
      const left = rows.slice(from + BATCH).map((row) => row.id).concat(Array.from(later));
      if (left.length) { await Store.put("marks", { name, value: left }); }
      else { await Store.remove("marks", name); }
    }
    return failed;
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
