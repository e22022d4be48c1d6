"use strict";
/* AES-GCM with a key that the browser keeps and never shows: what lies in the database is unreadable without it. */
const Sealing = (function () {
  const VECTOR = 12;

  function newKey() {
    return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  }

  async function sealBytes(key, bytes) {
    const vector = crypto.getRandomValues(new Uint8Array(VECTOR));
    return { vector, bytes: await crypto.subtle.encrypt({ name: "AES-GCM", iv: vector }, key, bytes) };
  }

  function openBytes(key, box) {
    return crypto.subtle.decrypt({ name: "AES-GCM", iv: box.vector }, key, box.bytes);
  }

  function seal(key, value) {
    return sealBytes(key, new TextEncoder().encode(JSON.stringify(value)));
  }

  async function open(key, box) {
    return JSON.parse(new TextDecoder().decode(await openBytes(key, box)));
  }

  return { newKey, seal, open, sealBytes, openBytes };
})();
