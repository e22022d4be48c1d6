"use strict";
/* Who is to be visited: the last answer of the server, sealed, for 72 hours at most. */
const Lists = (function () {
  const HOURS = 72;

  /** The user's key and name; made when the user signs in here for the first time. */
  async function keyFor(user, name) {
    const row = await Store.get("users", user);
    if (row) { return row.key; }
    const key = await Sealing.newKey();
    await Store.put("users", { user, key, label: await Sealing.seal(key, name) });
    return key;
  }

  async function keep(user, key, data) {
    await Store.put("lists", { user, at: Date.now(), box: await Sealing.seal(key, data) });
  }

  /** A clock that was put back by days does not make an old list young. */
  const expired = (at) => Math.abs(Date.now() - at) > HOURS * 3600 * 1000;

  /** {at, data}, or null where there is none or it was wiped for its age. */
  async function read(user, key) {
    const row = await Store.get("lists", user);
    if (!row) { return null; }
    if (expired(row.at)) {
      await wipe(user);
      return null;
    }
    return { at: row.at, data: await Sealing.open(key, row.box) };
  }

  /** Forget the people of a user and what was stored already. Records that wait stay, sealed, until they are uploaded;
      gone: the user leaves this phone, so that the key goes too once nothing waits. */
  function wipe(user, gone) {
    return Store.change(["lists", "records", "users"], function (tables) {
      tables.lists.delete(user);
      const asked = tables.records.index("user").getAll(user);
      asked.onsuccess = function () {
        const stored = asked.result.filter((row) => row.state === Outbox.STORED);
        for (const row of stored) { tables.records.delete(row.id); }
        if (gone && stored.length === asked.result.length) { tables.users.delete(user); }
      };
    });
  }

  /** [{name, count}]: other users of this phone whose records wait here. */
  async function others(user) {
    const found = [];
    for (const row of await Store.all("users")) {
      if (row.user === user) { continue; }
      const held = (await Store.of("records", row.user)).filter((record) => record.state !== Outbox.STORED);
      if (held.length) { found.push({ name: await Sealing.open(row.key, row.label), count: held.length }); }
    }
    return found;
  }

  return { keyFor, keep, read, expired, wipe, others };
})();
