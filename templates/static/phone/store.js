"use strict";
/* The phone's database. Rows hold ids, states and times in the clear, and sealed boxes for everything else.

users     {user, key, label}                          key: CryptoKey; label: the sealed name of the worker
lists     {user, at, box}                             the last answer of /m/data/ and when it came
records   {id, user, state, at, box}                  at: when it was last changed, in ms
photos    {id, user, visit, box}                      a JPEG on its way
receipts  {id, user, at, receipt}                     the server's own seal, kept 30 days for a restored server
marks     {name, value}                               who uses the phone; a sign-out that the server has yet to hear;
                                                      replay:USER, the receipts that a restored server has yet to get */
const Store = (function () {
  const TABLES = { users: "user", lists: "user", records: "id", photos: "id", receipts: "id", marks: "name" };
  let opening = null;

  function opened() {
    if (!opening) {
      opening = new Promise(function (done, failed) {
        const request = indexedDB.open("visits-phone", 1);
        request.onupgradeneeded = function () {
          for (const [table, keyPath] of Object.entries(TABLES)) {
            const made = request.result.createObjectStore(table, { keyPath });
            if (table === "records" || table === "photos" || table === "receipts") { made.createIndex("user", "user"); }
          }
        };
        request.onsuccess = function () {
          // another tab of a later release must be able to change the database
          request.result.onversionchange = function () { request.result.close(); opening = null; };
          request.result.onclose = function () { opening = null; };
          done(request.result);
        };
        request.onerror = function () { opening = null; failed(request.error); };
      });
    }
    return opening;
  }

  /** Run `work` in one transaction: all of it is stored or nothing. work(tables) must not await anything else. */
  async function change(names, work) {
    const database = await opened();
    return new Promise(function (done, failed) {
      // strict: done means that it is on the disk, so that an empty battery loses nothing either
      const transaction = database.transaction(names, "readwrite", { durability: "strict" });
      const tables = {};
      for (const name of names) { tables[name] = transaction.objectStore(name); }
      transaction.oncomplete = function () { done(); };
      transaction.onabort = transaction.onerror = function (event) {
        failed(transaction.error || event.target.error || new Error("storage"));
      };
      work(tables);
    });
  }

  async function read(name, ask) {
    const database = await opened();
    return new Promise(function (done, failed) {
      const request = ask(database.transaction([name]).objectStore(name));
      request.onsuccess = function () { done(request.result); };
      request.onerror = function () { failed(request.error); };
    });
  }

  const get = (name, key) => read(name, (table) => table.get(key));
  const all = (name) => read(name, (table) => table.getAll());
  const of = (name, user) => read(name, (table) => table.index("user").getAll(user));
  const put = (name, row) => change([name], (tables) => tables[name].put(row));
  const remove = (name, key) => change([name], (tables) => tables[name].delete(key));

  async function mark(name) {
    const row = await get("marks", name);
    return row ? row.value : null;
  }

  return { change, get, all, of, put, remove, mark };
})();
