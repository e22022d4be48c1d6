"use strict";
/* Records from the first tap until the server has them. A record is a plain object; its row is sealed.

record: {id, corrects, elder, name, village, mode, result, calm, findings: {code: note}, note, risk, event_day,
         latitude, longitude, accuracy, at, reason, marks, photos: [id], replaces, mends, again}
calm: true 平安, false 有情况, null not said. at: '' until it is saved. replaces: a refused record of this phone that
goes when this one is saved. mends: null, or what is mended: {at, latitude, longitude, accuracy, told, sentBack}; sentBack:
the township sent it back. again: the person was visited anew instead. */
const Outbox = (function () {
  const DRAFT = "草稿", WAITING = "待上传", SENT = "已上传", STORED = "已入库", RETURNED = "被退回";
  const SHOWN_FOR = 72 * 3600 * 1000;
  const RECEIPTS_FOR = 30 * 24 * 3600 * 1000;
  let chain = Promise.resolve();

  /** One write after the other, so that the last tap is what stays. */
  function inOrder(work) {
    const next = chain.then(work);
    chain = next.catch(() => undefined);
    return next;
  }

  /** UUID v4; crypto.randomUUID is younger than the oldest browser that we serve. */
  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = bytes[6] & 15 | 64;
    bytes[8] = bytes[8] & 63 | 128;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  /** An empty record about a person; nothing is prefilled but the way of visiting. */
  function blank(person, mode) {
    return {
      id: newId(), corrects: null, elder: person.ref, name: person.name, village: person.village || "", mode, result: "",
      calm: null, findings: {}, note: "", risk: "", event_day: null, latitude: null, longitude: null, accuracy: null,
      at: "", reason: "", marks: [], photos: [], replaces: null,
      mends: null, again: false
    };
  }

  async function rowOf(owner, record, state) {
    return { id: record.id, user: owner.user, state, at: Date.now(), box: await Sealing.seal(owner.key, record) };
  }

  /** Store the record as it stands now, and the owner's key beside it: another tab may have forgotten it meanwhile. */
  function keep(owner, record, state) {
    const copy = JSON.parse(JSON.stringify(record));
    return inOrder(async function () {
      const row = await rowOf(owner, copy, state);
      await Store.change(["users", "records"], function (tables) {
        const known = tables.users.get(owner.user);
        known.onsuccess = function () {
          if (!known.result) { tables.users.put({ user: owner.user, key: owner.key, label: owner.label }); }
        };
        tables.records.put(row);
      });
    });
  }

  /** Every record of the user as {state, at, record}, newest first. Old ones that the server has are dropped. */
  async function list(owner) {
    const found = [];
    const now = Date.now();
    for (const row of await Store.of("records", owner.user)) {
      if (row.state === STORED && now - row.at > SHOWN_FOR) { await Store.remove("records", row.id); }
      else { found.push({ state: row.state, at: row.at, record: await Sealing.open(owner.key, row.box) }); }
    }
    return found.sort((one, other) => other.at - one.at);
  }

  /** Move a record and its photos to a new UUID, in one transaction: a draft opened again, a UUID already taken. */
  function renew(owner, record, state) {
    return inOrder(async function () {
      const old = record.id;
      record.id = newId();
      const row = await rowOf(owner, record, state);
      const photos = (await Store.of("photos", owner.user)).filter((photo) => photo.visit === old);
      await Store.change(["records", "photos"], function (tables) {
        tables.records.delete(old);
        tables.records.put(row);
        for (const photo of photos) { tables.photos.put(Object.assign(photo, { visit: record.id })); }
      });
    });
  }

  /** Throw a record away with its photos: a draft, or one that the server refused. */
  function drop(owner, id) {
    return inOrder(async function () {
      const photos = (await Store.of("photos", owner.user)).filter((photo) => photo.visit === id);
      await Store.change(["records", "photos"], function (tables) {
        tables.records.delete(id);
        for (const photo of photos) { tables.photos.delete(photo.id); }
      });
    });
  }

  async function addPhoto(owner, record, bytes) {
    const id = newId();
    await Store.put("photos", { id, user: owner.user, visit: record.id, box: await Sealing.sealBytes(owner.key, bytes) });
    record.photos.push(id);
    return id;
  }

  async function removePhoto(record, id) {
    record.photos = record.photos.filter((photo) => photo !== id);
    await Store.remove("photos", id);
  }

  async function photoBytes(owner, id) {
    const row = await Store.get("photos", id);
    return row ? Sealing.openBytes(owner.key, row.box) : null;
  }

  async function photosOf(owner, visit) {
    return (await Store.of("photos", owner.user)).filter((photo) => photo.visit === visit);
  }

  async function keepReceipt(owner, id, receipt) {
    if (receipt) { await Store.put("receipts", { id, user: owner.user, at: Date.now(), receipt }); }
  }

  /** Receipts of the last 30 days, newest first; older ones are thrown away, whoever they belong to. */
  async function receipts(owner) {
    const now = Date.now();
    const kept = [];
    for (const row of await Store.all("receipts")) {
      if (now - row.at > RECEIPTS_FOR) { await Store.remove("receipts", row.id); }
      else if (row.user === owner.user) { kept.push(row); }
    }
    return kept.sort((one, other) => other.at - one.at);
  }

  /** What the server is sent of a record; the same record always gives the same. */
  function wire(record) {
    return {
      id: record.id, elder: record.elder, at: record.at, mode: record.mode, result: record.result, note: record.note,
      event_day: record.event_day, risk: record.risk,
      findings: Object.keys(record.findings).sort().map((code) => ({ code, note: record.findings[code] })),
      latitude: record.latitude, longitude: record.longitude, accuracy: record.accuracy, corrects: record.corrects
    };
  }

  return {
    DRAFT, WAITING, SENT, STORED, RETURNED,
    blank, keep, list, renew, drop, addPhoto, removePhoto, photoBytes, photosOf, keepReceipt, receipts, wire
  };
})();
