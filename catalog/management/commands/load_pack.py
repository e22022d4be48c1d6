"""load_pack NAME|FILE.yaml [--area CODE] [--name 名称]: publish a pack, or apply it to another county."""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction

from catalog.models import Document
from catalog.pack import Pack, PackError, read_pack
from catalog.pack.source import MAX_BYTES
from catalog.services.pack import pack_load
from catalog.services.publication import PackResult
from operations.commands import JsonCommand, Refused

WRONG_USAGE = 2


class Command(JsonCommand):
    """Idempotent; a shipped parent list that is not there yet is loaded first."""

    help = "载入政策包（清单、标准、参数、情形、探访层级、目标）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pack", help=f"随附的名称（{'、'.join(shipped_packs())}）或 YAML 文件")
        parser.add_argument("--area", help="把清单用于另一个区划（12 位代码）")
        parser.add_argument("--name", default="", help="区划还没有登记时的名称")

    def answer(self, **options: Any) -> dict[str, Any]:
        area: str | None = options["area"]
        if area is not None and not re.fullmatch(r"\d{12}", area):
            raise CommandError(f"--area 应为 12 位区划代码，现为“{area}”", returncode=WRONG_USAGE)
        try:
            pack = read_pack(_bytes_of(_path_of(options["pack"])))
            with transaction.atomic():
                self._load_shipped_parent(pack)
                result = pack_load(pack=pack, area_override=area, area_name=options["name"])
        except PackError as error:
            raise Refused(
                f"政策包未载入，共 {len(error.faults)} 处要改：\n{error}", errors=list(error.faults)
            ) from error
        self._report(result)
        return {
            "document": result.document,
            "items": result.items,
            "versions_created": result.created,
            "versions_ended": result.ended,
            "unchanged": result.unchanged,
        }

    def _load_shipped_parent(self, pack: Pack) -> None:
        code = pack.document.parent
        if not code or pack.faults or Document.objects.filter(code=code).exists():
            return
        for name, path in shipped_packs().items():
            parent = read_pack(path.read_bytes())
            if parent.document.code == code:
                self.stderr.write(f"上级清单 {code} 还没有载入，先载入随附的 {name}")
                self._load_shipped_parent(parent)
                pack_load(pack=parent)

    def _report(self, result: PackResult) -> None:
        if result.absent:
            self.stderr.write(f"包里没有写、但仍然有效：{'、'.join(result.absent)}；要废止请写上 to")


def shipped_packs() -> dict[str, Path]:
    """Packs that come with the portal, by name."""
    return {path.stem: path for path in sorted((settings.BASE_DIR / "fixtures").glob("*.yaml"))}


def _path_of(argument: str) -> Path:
    path = shipped_packs().get(argument) or Path(argument)
    if path.is_file():
        return path
    raise CommandError(
        f"没有名为“{argument}”的政策包，也没有这个文件；随附的有：{'、'.join(shipped_packs())}",
        returncode=WRONG_USAGE,
    )


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        # one byte more than allowed is enough for the reader to refuse a file of any size
        return file.read(MAX_BYTES + 1)
