"use strict";
/* Talking to the portal. Every failure is one of four kinds, so that callers say the right thing:
   network (nothing came back), signin (the session is over), forbidden, refused (a status that says no). */
const Server = (function () {
  const PATIENCE = 60000;

  function fault(kind, status, detail) {
    const made = new Error(kind);
    return Object.assign(made, { kind, status: status || 0, detail: detail || "" });
  }

  async function ask(path, options) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PATIENCE);
    let response, body;
    try {
      response = await fetch(path, Object.assign(
        { credentials: "same-origin", cache: "no-store", signal: stop.signal }, options));
      // a hotel's or a shop's sign-in page instead of the portal is no answer
      if (!(response.headers.get("Content-Type") || "").includes("json")) { body = null; }
      else { body = await response.json(); }
    } catch (problem) {
      throw fault("network");
    } finally {
      clearTimeout(timer);
    }
    if (response.ok) {
      if (body === null) { throw fault("network"); }
      return body;
    }
    if (response.status === 401) { throw fault("signin", 401); }
    throw fault(response.status === 403 ? "forbidden" : "refused", response.status, body && body.detail);
  }

  const get = (path) => ask(path, {});
  const post = (path, csrf, value) => ask(path, {
    method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": csrf }, body: JSON.stringify(value)
  });
  const putPhoto = (path, csrf, bytes) => ask(path, {
    method: "PUT", headers: { "Content-Type": "image/jpeg", "X-CSRFToken": csrf }, body: bytes
  });

  return { get, post, putPhoto };
})();
