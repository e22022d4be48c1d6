"""Photos from phones: nothing but the pixels is kept, each once, encrypted, and comparable."""

import io
from datetime import date
from uuid import UUID, uuid4

import pytest
from PIL import Image, ImageDraw

from catalog.models import Document
from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry, StoredFile
from operations.services.stored_file import stored_file_read
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.races import at_once, raised
from tests.registry import make_elder
from tests.visits.conftest import VILLAGE_A1
from tests.visits.phones import number, record, send
from visits.models import VisitPhoto
from visits.photo_image import EDGE, PIXELS, PhotoFault, photo_read
from visits.services.photo import PHOTOS, photo_store

GPS, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F


def picture(width: int = 640, height: int = 480, shift: int = 0) -> Image.Image:
    """A picture with something in it."""
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).ellipse((shift, 0, shift + width // 2, height), fill="navy")
    return image


def jpeg(image: Image.Image, **more: object) -> bytes:
    """The picture as a phone's file."""
    out = io.BytesIO()
    image.save(out, "JPEG", **more)
    return out.getvalue()


def with_metadata() -> bytes:
    """A file that tells where, with what and which way up it was taken."""
    exif = Image.Exif()
    exif[MAKE] = "SecretPhone"
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS)[1] = "N"
    return jpeg(picture(), exif=exif, comment=b"remark", icc_profile=b"profile")


@pytest.fixture
def worker(county: Document) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


@pytest.fixture
def elder(county: Document) -> Elder:
    """An elder of 甲一村."""
    return make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)


@pytest.fixture
def visit_id(worker: User, elder: Elder) -> UUID:
    """A visit that has come in."""
    sent = record(elder, worker)
    send(worker, sent)
    return number(sent)


def keep(
    visit_id: UUID, user: User, content: bytes | None = None, photo_id: UUID | None = None
) -> str | None:
    """Send a photo."""
    return photo_store(
        photo_id=photo_id or uuid4(), visit_id=visit_id, content=content or jpeg(picture()), user=user
    )


def test_metadata_is_gone_and_the_picture_stands_upright() -> None:
    clean, _ = photo_read(with_metadata())
    read = Image.open(io.BytesIO(clean))
    assert (read.format, read.size) == ("JPEG", (480, 640))
    assert dict(read.getexif()) == {}
    assert not {"exif", "icc_profile", "comment"} & set(read.info)
    assert b"SecretPhone" not in clean


@pytest.mark.parametrize(
    ("size", "kept"), [((EDGE, EDGE), (EDGE, EDGE)), ((2048, 1024), (EDGE, 512)), ((30, 40), (30, 40))]
)
def test_no_edge_is_longer_than_1024(size: tuple[int, int], kept: tuple[int, int]) -> None:
    clean, _ = photo_read(jpeg(picture(*size)))
    assert Image.open(io.BytesIO(clean)).size == kept


def test_what_is_hidden_behind_the_picture_is_gone() -> None:
    clean, _ = photo_read(jpeg(picture()) + b"PK\x03\x04<script>")
    assert b"<script>" not in clean


def test_a_greyscale_and_a_printers_picture_are_read() -> None:
    for mode in ("L", "CMYK"):
        assert Image.open(io.BytesIO(photo_read(jpeg(picture().convert(mode)))[0])).mode == "RGB"


def as_format(name: str) -> bytes:
    """The picture in another format."""
    out = io.BytesIO()
    picture().save(out, name)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8", b"<svg/>", b"GIF89a", jpeg(picture())[:-2000], as_format("PNG"), as_format("WEBP")],
)
def test_what_is_no_whole_jpeg_is_refused(content: bytes) -> None:
    with pytest.raises(PhotoFault, match="照片：不是完整的 JPEG 照片；请重新拍摄"):
        photo_read(content)


def test_a_file_that_unpacks_to_more_than_any_phone_takes_is_refused_by_its_header() -> None:
    small = bytearray(jpeg(picture(16, 16)))
    frame = small.index(b"\xff\xc0")  # start of frame: height and width follow, two bytes each
    small[frame + 5 : frame + 9] = bytes([0x1F, 0x40, 0x1F, 0x40])  # 8000 × 8000
    assert PIXELS < 8000 * 8000
    with pytest.raises(PhotoFault, match="照片：像素过大"):
        photo_read(bytes(small))
    small[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(PhotoFault, match="照片：不是完整的 JPEG 照片"):
        photo_read(bytes(small))


def test_the_same_picture_saved_otherwise_has_the_same_fingerprint_and_another_another() -> None:
    one = photo_read(jpeg(picture(), quality=95))[1]
    smaller = photo_read(jpeg(picture().resize((320, 240)), quality=60))[1]
    other = photo_read(jpeg(picture(shift=300)))[1]
    assert bin((one ^ smaller) & (2**64 - 1)).count("1") <= 3
    assert bin((one ^ other) & (2**64 - 1)).count("1") > 8
    assert -(2**63) <= one < 2**63


def test_a_photo_is_kept_encrypted_with_its_fingerprint(worker: User, visit_id: UUID) -> None:
    photo_id = uuid4()
    assert keep(visit_id, worker, photo_id=photo_id) == "stored"
    kept = VisitPhoto.objects.get()
    clean, fingerprint = photo_read(jpeg(picture()))
    assert (kept.pk, kept.visit_id, kept.fingerprint) == (photo_id, visit_id, fingerprint)
    assert stored_file_read(stored=kept.file) == clean
    with kept.file.content.open("rb") as handle:
        assert clean[:64] not in handle.read()
    entry = AuditEntry.objects.get(action="上传探访照片")
    assert (entry.actor, entry.subject) == (worker, f"visit:{visit_id}")


def test_a_photo_sent_again_is_known_and_kept_once(worker: User, visit_id: UUID) -> None:
    photo_id = uuid4()
    assert [keep(visit_id, worker, photo_id=photo_id) for _ in range(2)] == ["stored", "known"]
    assert (VisitPhoto.objects.count(), StoredFile.objects.count()) == (1, 1)


def test_a_photo_before_its_visit_has_to_wait(worker: User, elder: Elder) -> None:
    sent = record(elder, worker)
    assert keep(number(sent), worker) is None
    send(worker, sent)
    assert keep(number(sent), worker) == "stored"


def test_a_photo_of_somebody_elses_visit_is_not_taken(worker: User, visit_id: UUID) -> None:
    assert keep(visit_id, make_user("other", Role.VILLAGE_WORKER, VILLAGE_A1)) is None


def test_a_number_of_another_visits_photo_is_refused(worker: User, elder: Elder, visit_id: UUID) -> None:
    photo_id = uuid4()
    keep(visit_id, worker, photo_id=photo_id)
    other = record(elder, worker)
    send(worker, other)
    with pytest.raises(Refused, match="编号已属于另一条记录；请重新拍摄"):
        keep(number(other), worker, photo_id=photo_id)


def test_a_visit_has_at_most_six_photos(worker: User, visit_id: UUID) -> None:
    for _ in range(PHOTOS):
        assert keep(visit_id, worker) == "stored"
    with pytest.raises(Refused, match=f"一次探访最多 {PHOTOS} 张"):
        keep(visit_id, worker)


@pytest.mark.django_db(transaction=True)
def test_the_same_photo_sent_twice_at_once_is_kept_once(worker: User, visit_id: UUID) -> None:
    photo_id = uuid4()
    answers = at_once(*[lambda: keep(visit_id, worker, photo_id=photo_id)] * 4)
    assert raised(answers) == []
    assert sorted(answers) == ["known"] * 3 + ["stored"]
    assert (VisitPhoto.objects.count(), StoredFile.objects.count()) == (1, 1)
