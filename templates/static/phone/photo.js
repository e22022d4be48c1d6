"use strict";
/* A photo from the camera made small: at most 1024 px and 200 KB. Drawing it anew leaves its metadata behind. */
const Photo = (function () {
  const EDGE = 1024;
  const BYTES = 200 * 1024;
  const QUALITIES = [0.8, 0.65, 0.5, 0.35];

  function draw(picture, edge) {
    const scale = Math.min(1, edge / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  const jpeg = (canvas, quality) => new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));

  async function bytesOf(blob) {
    return new Response(blob).arrayBuffer();
  }

  /** File → ArrayBuffer of a JPEG; throws where the file is no picture. */
  async function shrink(file) {
    const picture = await createImageBitmap(file);
    for (let edge = EDGE; ; edge = edge * 3 / 4) {
      const canvas = draw(picture, edge);
      for (const quality of QUALITIES) {
        const blob = await jpeg(canvas, quality);
        if (blob.size <= BYTES) {
          picture.close();
          return bytesOf(blob);
        }
      }
    }
  }

  /** A small canvas of a stored photo: the policy allows no blob: address for an <img>. */
  async function preview(bytes) {
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    const canvas = draw(picture, 160);
    picture.close();
    return canvas;
  }

  return { shrink, preview };
})();
