"""Who brought a fact: uploads, and rows that fit no kind yet."""

import datetime as dt

from schema.core import Aspect, Entity, about, entity
from schema.vocabularies import UploadState


@entity(
    "upload",
    sheet=None,
    zh="上传",
    en="Upload",
    plural="Uploads",
    key=("id",),
    aspect=Aspect.IDENTITY,
    sharing="parties",
)
class Upload(Entity):
    """A file that somebody brought in; every fact names the upload it came with."""

    id: str = about("Number of the receipt, from owner and contents.", zh="回执号", examples=["U-3f9a2c41d07e"])
    load: str = about("The load it was part of.", zh="入库批", indexed=True)
    file: str = about("Name of the file.", zh="文件")
    sha256: str = about("Digest of the file as it came.", zh="摘要")
    kind: str | None = about("Kind of sheet; empty where none fitted.", zh="表类型", default=None)
    rows: int = about("Rows in the file.", zh="行数", ge=0)
    taken: int = about("Rows that were new or changed something.", zh="入库行数", ge=0)
    refused: int = about("Rows refused.", zh="拒收行数", ge=0, default=0)
    at: dt.datetime = about("When.", zh="时间")
    by: str = about("Who sent it.", zh="上传方")
    state: UploadState = about("What has become of it.", zh="状态", default=UploadState.LOADED)


@entity(
    "raw_row",
    sheet=None,
    zh="待归类数据",
    en="Row of no kind yet",
    plural="Rows of no kind yet",
    key=("source", "number"),
    by_owner=True,
    merged=False,
    aspect=Aspect.FAILURES,
    sharing="parties",
)
class RawRow(Entity):
    """A row of a sheet for which there is no kind yet: kept without its personal columns, so that nothing sent is lost."""

    # (:RawRow)-[:CAME_WITH]->(:Upload)
    source: str = about("The upload.", zh="回执号", ref="upload", drawn="CAME_WITH")
    number: int = about("Row of the sheet.", zh="行号", ge=1)
    data: str = about("Its cells by column name, as JSON.", zh="内容")
