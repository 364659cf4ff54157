"""AASX packages (IDTA 01005-3-0): the environment as JSON in a zip, the same bytes for the same rows."""

from __future__ import annotations

import io
import zipfile

from chaingraph import View
from ingest.writing import Written, aas

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_SORTS = "http://admin-shell.io/aasx/relationships"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_HEAD = '<?xml version="1.0" encoding="utf-8"?>'


def write(view: View, product: str | None = None) -> Written:
    """A package with one environment."""
    written = aas.write(view, product)
    return Written(packed(written.content), written.rows, written.left_out)


def packed(environment: bytes) -> bytes:
    """An environment in JSON as a package."""
    parts = {
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="{_TYPES}"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="json" ContentType="application/json"/>'
            '<Override PartName="/aasx/aasx-origin" ContentType="text/plain"/></Types>'
        ),
        "_rels/.rels": _relationship("aasx-origin", "/aasx/aasx-origin"),
        "aasx/aasx-origin": "Intentionally empty.",
        "aasx/_rels/aasx-origin.rels": _relationship("aas-spec", "/aasx/environment.json"),
        "aasx/environment.json": environment.decode(),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, said in parts.items():
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, said)
    return content.getvalue()


def _relationship(sort: str, target: str) -> str:
    return (
        f'{_HEAD}<Relationships xmlns="{_RELATIONSHIPS}">'
        f'<Relationship Id="R1" Type="{_SORTS}/{sort}" Target="{target}"/></Relationships>'
    )
