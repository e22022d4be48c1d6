"""A photo as it came from a phone, read with suspicion: nothing but its pixels goes on."""

import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

#: What Pillow says of a file that is none, or that ends in the middle.
_BROKEN: Final = (
    UnidentifiedImageError,
    OSError,
    SyntaxError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
#: Longest edge that is kept, and quality of the JPEG.
EDGE: Final = 1024
QUALITY: Final = 80
#: More pixels than any phone takes: a file that unpacks to that is a bomb.
PIXELS: Final = 50_000_000
NOT_A_PHOTO: Final = "照片：不是完整的 JPEG 照片；请重新拍摄后再传"
TOO_MANY_PIXELS: Final = "照片：像素过大；请用手机程序压缩后再传"


class PhotoFault(ValueError):
    """A photo that cannot be taken: why, and what to do."""


def photo_read(content: bytes) -> tuple[bytes, int]:
    """Return the photo as a fresh JPEG of at most EDGE pixels without metadata, and its fingerprint."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as given:
            if given.width * given.height > PIXELS:  # known from the header, before anything is unpacked
                raise PhotoFault(TOO_MANY_PIXELS)
            given.draft("RGB", (EDGE, EDGE))
            upright = ImageOps.exif_transpose(given).convert("RGB")
    except _BROKEN:
        raise PhotoFault(NOT_A_PHOTO) from None
    upright.thumbnail((EDGE, EDGE))
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue(), fingerprint(clean)


def fingerprint(image: Image.Image) -> int:
    """Return the difference hash: 64 bits, whether each of 8 × 8 cells is brighter than its right neighbour; signed."""
    cells = image.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = 0
    for place in range(64):
        row, column = divmod(place, 8)
        bits = bits << 1 | (cells[row * 9 + column] > cells[row * 9 + column + 1])
    return bits - (1 << 64) if bits >> 63 else bits
