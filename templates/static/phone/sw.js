"use strict";
/* Keeps the shell and its files, so that the app opens without a network. The server puts VERSION and FILES before
   this text. Nothing personal is ever kept here: answers of the server pass by untouched. */
const SHELL = "/m/";
const CACHE = "phone-" + VERSION;

self.addEventListener("install", function (event) {
  const fresh = FILES.concat(SHELL).map((path) => new Request(path, { cache: "reload", credentials: "same-origin" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", function (event) {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name.startsWith("phone-") && name !== CACHE).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("fetch", function (event) {
  const { request } = event;
  const path = new URL(request.url).pathname;
  if (request.method !== "GET") { return; }
  if (request.mode === "navigate") {
    const shell = () => caches.match(SHELL, { cacheName: CACHE });
    if (path === SHELL) { event.respondWith(shell().then((kept) => kept || fetch(request))); }
    // no network at the sign-in page: the app says so, and what is in the phone can be used
    else { event.respondWith(fetch(request).catch(() => shell().then((kept) => kept || Response.error()))); }
    return;
  }
  if (FILES.includes(path)) {
    event.respondWith(caches.match(path, { cacheName: CACHE }).then((kept) => kept || fetch(request)));
  }
});
