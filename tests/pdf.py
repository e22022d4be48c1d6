"""Reading back what typst wrote into a PDF: pages, embedded fonts, text in drawing order."""

import re
import zlib

OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.S)
SHOWN = re.compile(
    rb"/(\w+) [\d.]+ Tf|(<[0-9A-F]*>|\((?:\\.|[^\\()]|\((?:\\.|[^\\()])*\))*\))|(\bET\b)", re.S
)


def page_count(pdf: bytes) -> int:
    """Number of pages."""
    return len(re.findall(rb"/Type/Page\b(?!s)", pdf))


def embedded(pdf: bytes) -> set[str]:
    """Names of the fonts whose outlines are inside, without the subset's tag."""
    objects = _objects(pdf)
    names = set()
    for body in objects.values():
        if b"/FontDescriptor" in body and b"/FontFile3" in body:
            found = re.search(rb"/FontName/(?:\w+\+)?([\w-]+)", body)
            names |= {found[1].decode()} if found else set()
    return names


def text_of(pdf: bytes) -> str:
    """All text, page after page; a line break wherever typst began a new piece."""
    objects = _objects(pdf)
    maps = {number: _characters(objects, body) for number, body in objects.items() if b"/ToUnicode" in body}
    lines = []
    for body in objects.values():
        if not re.search(rb"/Type/Page\b(?!s)", body):
            continue
        contents = re.search(rb"/Contents (\d+)", body)
        fonts = dict(re.findall(rb"/(\w+) (\d+) 0 R", _fonts(objects, body)))
        assert contents is not None
        lines.append(_page(_stream(objects[int(contents[1])]), {k: maps[int(v)] for k, v in fonts.items()}))
    return "\n".join(lines)


def _objects(pdf: bytes) -> dict[int, bytes]:
    return {int(number): body for number, body in OBJECT.findall(pdf)}


def _fonts(objects: dict[int, bytes], page: bytes) -> bytes:
    reference = re.search(rb"/Resources (\d+) 0 R", page)
    resources = objects[int(reference[1])] if reference else page
    found = re.search(rb"/Font<<(.*?)>>", resources, re.S)
    return found[1] if found else b""


def _characters(objects: dict[int, bytes], font: bytes) -> dict[int, str]:
    reference = re.search(rb"/ToUnicode (\d+)", font)
    assert reference is not None
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", _stream(objects[int(reference[1])]))
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}


def _page(content: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    text, current = "", dict[int, str]()
    for name, shown, end in SHOWN.findall(content):
        if name:
            current = fonts.get(name, {})
        elif end:
            text += "\n"
        else:
            data = bytes.fromhex(shown[1:-1].decode()) if shown[:1] == b"<" else _unescaped(shown[1:-1])
            text += "".join(current.get(int.from_bytes(data[n : n + 2]), "") for n in range(0, len(data), 2))
    return text


def _unescaped(data: bytes) -> bytes:
    signs = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def plain(found: re.Match[bytes]) -> bytes:
        sign = found[1]
        return bytes([int(sign, 8)]) if sign.isdigit() else signs.get(sign, sign)

    return re.sub(rb"\\([0-7]{1,3}|.)", plain, data, flags=re.S)


def _stream(body: bytes) -> bytes:
    start = body.index(b"stream\n") + len(b"stream\n")
    return zlib.decompressobj().decompress(body[start:]) if b"/FlateDecode" in body else body[start:]
