"""The roster's rival: django-import-export as it comes, a ModelResource that knows rows by the ID number."""

from pathlib import Path

from django.db import connection
from import_export.fields import Field
from import_export.formats.base_formats import XLSX
from import_export.resources import ModelResource, modelresource_factory

from benchmarks.models import COLUMNS, RivalPerson


def _field(heading: str, name: str) -> Field:
    """The field that a ModelResource makes by itself, under the file's heading."""
    field = ModelResource.field_from_django_field(name, RivalPerson._meta.get_field(name), readonly=False)
    field.column_name = heading
    return field


RivalResource = modelresource_factory(
    RivalPerson,
    meta_options={"import_id_fields": ("id_number",)},
    custom_fields={name: _field(heading, name) for heading, name in COLUMNS.items()},
)


def clear() -> None:
    """An empty table."""
    with connection.schema_editor() as editor:
        editor.execute("DROP TABLE IF EXISTS rival_person")
        editor.create_model(RivalPerson)


def run(path: str) -> dict[str, int]:
    """From the file to committed rows."""
    dataset = XLSX().create_dataset(Path(path).read_bytes())
    result = RivalResource().import_data(dataset, raise_errors=True)
    return {"new": result.totals["new"], "errors": result.totals["error"] + result.totals["invalid"]}
