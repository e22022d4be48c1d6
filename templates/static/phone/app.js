"use strict";
/* Starting: what is in the phone is shown at once, whatever the network does; then the rest. */
(async function () {
  if (!window.indexedDB || !window.crypto || !crypto.subtle) {
    document.getElementById("main").textContent = "这个浏览器太旧或不是安全连接，不能使用探访。请用新版浏览器，从 https 地址打开。";
    return;
  }
  let stale = false;
  document.getElementById("back").addEventListener("click", Screens.back);
  // /m/?in=1 is where signing in leads to
  if (location.search) { await Session.ask(); }
  history.replaceState({ screen: "today" }, "", "/m/");
  Session.onChange(function () {
    const { owner, net } = Session.state;
    if (!owner && net === "signin") { location.replace("/m/login/"); }
    else if (stale && !Screens.inTask()) { location.reload(); }
    else { Screens.refresh(); }
  });
  Session.state.net = navigator.onLine ? "online" : "offline";
  await Session.reload();
  Screens.go("today");
  if (navigator.storage && navigator.storage.persist) { navigator.storage.persist(); }
  if (navigator.serviceWorker) {
    // a new release takes over when nobody is in the middle of a task; the very first one is what is open already
    let first = !navigator.serviceWorker.controller;
    navigator.serviceWorker.addEventListener("controllerchange", function () {
      stale = !first;
      first = false;
      Session.changed();
    });
    navigator.serviceWorker.register("/m/sw.js", { scope: "/m/" });
  }
  Sync.watch();
  Sync.now();
})();
