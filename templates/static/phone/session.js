"use strict";
/* Who uses the phone now, and what the screens show of it. Screens read Session.state and are told of every change. */
const Session = (function () {
  /* owner: {user, key, label}, or null before the first sign-in. list: {at, data}, or null when there is none or it was wiped.
     net: online, offline, busy, signin, forbidden. trouble: what the last sync could not do, in words. */
  const state = { owner: null, unsure: false, name: "", list: null, records: [], others: [], net: "offline", trouble: "", syncedAt: 0 };
  const NOT_KEPT = "手机存储已满或不可用，这条没有保存，请先上传或清理后再点保存";
  const listeners = [];
  const tabs = window.BroadcastChannel ? new BroadcastChannel("visits-phone") : null;

  function onChange(listener) { listeners.push(listener); }
  function changed() { for (const listener of listeners) { listener(); } }
  function tellTabs(word) { if (tabs) { tabs.postMessage(word); } }
  if (tabs) {
    tabs.onmessage = function (message) {
      if (message.data === "left") { location.reload(); }
      else { reload(); }
    };
  }

  /** Read everything of the present user from the phone: works without any network. Right after signing in nobody's
      data are shown until the server has said who signed in: it may be somebody else than before. */
  async function reload() {
    const unsure = Boolean(await Store.mark("unsure"));
    const user = unsure ? null : await Store.mark("user");
    const row = user ? await Store.get("users", user) : null;
    const owner = row ? { user, key: row.key, label: row.label } : null;
    const read = {
      owner,
      unsure,
      name: owner ? await Sealing.open(owner.key, row.label) : "",
      list: owner ? await Lists.read(user, owner.key) : null,
      records: owner ? await Outbox.list(owner) : [],
      others: unsure ? [] : await Lists.others(user)
    };
    // at once, so that no screen sees one user's list beside another's records
    Object.assign(state, read);
    changed();
  }

  /** Somebody has just signed in; that ended whatever session an earlier sign-out had left open. */
  const ask = () => Store.change(["marks"], function (tables) {
    tables.marks.put({ name: "unsure", value: true });
    tables.marks.delete("leaving");
  });

  /** Take the server's answer. Another user than before: the former's people are wiped, what waits of them stays. */
  async function become(data) {
    const user = data.user.key;
    const former = await Store.mark("user");
    if (former && former !== user) { await Lists.wipe(former, true); }
    const key = await Lists.keyFor(user, data.user.name);
    await Lists.keep(user, key, data);
    await Store.change(["marks"], function (tables) {
      tables.marks.put({ name: "user", value: user });
      tables.marks.delete("unsure");
    });
    await reload();
    return former === user;
  }

  /** Keep a record of the user who began it, whoever uses the phone by now; then show it and tell the other tabs.
      Rejects only where nothing was stored. */
  async function keep(owner, record, to) {
    await Outbox.keep(owner, record, to);
    await refresh().catch((fault) => console.error(fault));
  }

  async function refresh() {
    const { owner } = state;
    const records = owner ? await Outbox.list(owner) : [];
    if (owner && state.owner && owner.user === state.owner.user) { state.records = records; }
    tellTabs("changed");
    changed();
  }

  const countOf = (...states) => state.records.filter((entry) => states.includes(entry.state)).length;
  const waiting = () => countOf(Outbox.WAITING, Outbox.SENT);

  /** Everything that would be lost by leaving, in words; '' when nothing is. */
  function held() {
    const words = [];
    if (waiting()) { words.push(waiting() + " 条待上传"); }
    if (countOf(Outbox.DRAFT)) { words.push(countOf(Outbox.DRAFT) + " 条草稿"); }
    if (countOf(Outbox.RETURNED)) { words.push(countOf(Outbox.RETURNED) + " 条被退回"); }
    return words.join("、");
  }

  /** Sign out; refused while something waits. The server may hear of it later, when there is a network. */
  async function leave() {
    await refresh();
    if (held()) { return false; }
    const { user } = state.owner;
    await Lists.wipe(user, true);
    await Store.change(["marks"], function (tables) {
      tables.marks.delete("user");
      tables.marks.put({ name: "leaving", value: user });
    });
    tellTabs("left");
    return true;
  }

  /** End the server's session of who signed out here, if it is still theirs. Rejects while the server cannot say that
      it is over; then it is tried again with the next sync. */
  async function finishLeaving() {
    const user = await Store.mark("leaving");
    if (!user) { return; }
    try {
      const data = await Server.get("/m/data/");
      if (data.user.key === user && await Store.mark("user") !== user) { await Server.post("/m/logout/", data.csrf, {}); }
    } catch (fault) {
      if (fault.kind !== "signin") { throw fault; }
    }
    await Store.remove("marks", "leaving");
  }

  /** Wipe the list when its time is over, also while the app stays open. */
  async function expire() {
    if (state.list && Lists.expired(state.list.at)) {
      await Lists.wipe(state.owner.user, false);
      await reload();
    }
  }

  return {
    NOT_KEPT, state, onChange, changed, tellTabs, reload, refresh, ask, become, keep, countOf, waiting, held, leave, finishLeaving, expire
  };
})();
