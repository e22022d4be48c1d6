"use strict";
/* Where the phone is: asked for in the background while the form is filled, never waited for, never a gate. */
const Place = (function () {
  let last = null;

  /** Begin to look; the answer, if one comes, is for `taken`. */
  function look() {
    last = null;
    if (!navigator.geolocation) { return; }
    navigator.geolocation.getCurrentPosition(
      function (found) {
        last = {
          latitude: Number(found.coords.latitude.toFixed(6)),
          longitude: Number(found.coords.longitude.toFixed(6)),
          accuracy: found.coords.accuracy
        };
      },
      function () { last = null; },
      { enableHighAccuracy: true, timeout: 8000, maximumAge: 60000 }
    );
  }

  const taken = () => last;

  return { look, taken };
})();
