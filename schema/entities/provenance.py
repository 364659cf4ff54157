"""Who brought a fact and who may see it: uploads, rows that fit no kind yet, agreements."""

import datetime as dt

import polars as pl

from schema.core import Aspect, Entity, RowRule, about, entity
from schema.text import Text
from schema.vocabularies import Aspects, UploadState


@entity("upload", sheet=None, zh="上传", en="Upload", plural="Uploads", key=("id",), aspect=Aspect.IDENTITY)
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
)
class RawRow(Entity):
    """A row of a sheet for which there is no kind yet: kept without its personal columns, so that nothing sent is lost."""

    # (:RawRow)-[:CAME_WITH]->(:Upload)
    source: str = about("The upload.", zh="回执号", ref="upload", drawn="CAME_WITH")
    number: int = about("Row of the sheet.", zh="行号", ge=1)
    data: str = about("Its cells by column name, as JSON.", zh="内容")


@entity(
    "agreement", sheet=None, zh="共享协议", en="Agreement", plural="Agreements", key=("id",), aspect=Aspect.IDENTITY
)
class Agreement(Entity):
    """Who lets whom see which aspect of what, for which purpose, from when to when."""

    # (:Organisation)-[:GRANTS]->(:Agreement)-[:TO]->(:Organisation), (:Agreement)-[:ABOUT]->(:Part)
    id: str = about("Number of the agreement.", zh="协议号")
    grantor: str = about("Who shares.", zh="授权方", ref="organisation", drawn="<GRANTS")
    grantee: str = about("With whom.", zh="被授权方", ref="organisation", drawn="TO")
    part: str | None = about(
        "Facts of which part; of all parts where empty.", zh="物料编码", ref="part", drawn="ABOUT", default=None
    )
    shared: Aspects = about("Which aspect.", zh="共享内容")
    purpose: str = about("For what.", zh="用途")
    start: dt.datetime = about("From when.", zh="开始时间")
    end: dt.datetime = about("Until when, that moment not included.", zh="结束时间")

    ROW_RULES = (
        RowRule(
            "agreement.dates",
            ("start", "end"),
            lambda: pl.col("end") <= pl.col("start"),
            Text("结束时间不晚于开始时间。", "It ends before it begins."),
            Text("请更正时间。", "Correct the times."),
        ),
    )
