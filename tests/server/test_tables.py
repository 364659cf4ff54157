"""Tables: the rows of GraphQL lists as files, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from chaingraph import View, Workspace
from schema import KINDS, kind
from server.api.app import create_app
from server.api.naming import lists
from tests.server import world
from tests.server.client import Client


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with world.workspace(tmp_path_factory.mktemp("graph")) as made:
        yield made


@pytest.fixture(scope="module")
def client(space: Workspace) -> Client:
    return Client(create_app(space))


@pytest.fixture(scope="module")
def view(space: Workspace) -> View:
    return space.view()


def cells(response: Any) -> list[list[str]]:
    assert response.status_code == 200, response.text
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("name", list(lists()))
def test_every_kind_comes_in_every_format(client: Client, view: View, name: str) -> None:
    of = lists()[name]
    table = view.table(of.name).sort("key")
    heading, *rows = cells(client.get(f"/tables/{name}.csv"))
    assert sorted(heading) == sorted(of.schema)
    assert len(rows) == len(table)
    parquet = pl.read_parquet(client.get(f"/tables/{name}.parquet").content)
    assert parquet.select(table.columns).equals(table)
    response = client.get(f"/tables/{name}.json")
    assert [row["key"] for row in response.json()] == table["key"].to_list()


def test_tables_are_the_lists_of_graphql(client: Client) -> None:
    query = """{ supplies(first: 100, filter: {share: {gte: 0.2}, status: {in: [MAIN, SECOND]}},
                          orderBy: [{field: LEAD_TIME_DAYS, direction: DESC}]) {
        nodes { key owner part { key } supplier { key } share leadTimeDays alternativeExists } } }"""
    nodes = client.post("/graphql", json={"query": query}).json()["data"]["supplies"]["nodes"]
    assert len(nodes) > 5
    rows = client.get("/tables/supplies.json?share.gte=0.2&status.in=main,second&order=-lead_time_days").json()
    assert [
        {
            "key": row["key"],
            "owner": row["owner"],
            "part": {"key": row["part"]},
            "supplier": {"key": row["supplier"]},
            "share": row["share"],
            "leadTimeDays": row["lead_time_days"],
            "alternativeExists": row["alternative_exists"],
        }
        for row in rows
    ] == nodes


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("number=A07", pl.col("number") == "A07"),
        ("number.in=A07,A08", pl.col("number").is_in(["A07", "A08"])),
        ("chain_level.is_null=true", pl.col("chain_level").is_null()),
        ("name_en.contains=bear", pl.col("name_en").str.contains("Bear")),
        ("row.is_null=true&chain_level.is_null=false", pl.col("chain_level").is_not_null()),
        ("issuer=L01&stub=false", pl.lit(True)),
    ],
)  # fmt: skip
def test_parameters_filter(client: Client, view: View, asked: str, expected: pl.Expr) -> None:
    rows = client.get(f"/tables/parts.json?{asked}").json()
    assert [r["key"] for r in rows] == view.table("part").filter(expected).sort("key")["key"].to_list()


def test_columns_and_limit_choose(client: Client) -> None:
    rows = client.get("/tables/life_records.json?columns=observed_on,age&order=-observed_on,-age&limit=2").json()
    assert rows == [{"observed_on": "2025-03-02", "age": 10000.0}] * 2


@pytest.mark.parametrize(
    "asked",
    [
        "nothing=1", "number.like=A", "chain_level=none", "share.gte=1", "row.gte=x", "order=nothing", "columns=",
        "limit=0", "limit=-1", "limit=²", "lang=fr", "stub=1", "stub.contains=t",
    ],
)  # fmt: skip
def test_parameters_that_make_no_sense_are_refused(client: Client, asked: str) -> None:
    response = client.get(f"/tables/parts.csv?{asked}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] in {"BAD_REQUEST", "OUT_OF_RANGE"}


@pytest.mark.parametrize("path", ["/tables/nothing.csv", "/tables/parts.xlsx", "/tables/part.csv", "/tables/parts"])
def test_other_tables_are_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_headings_and_codes_come_in_both_languages(client: Client) -> None:
    heading, *rows = cells(client.get("/tables/parts.csv?lang=zh&chain_level=material&columns=key,name_zh,chain_level"))
    assert heading == ["主键", "名称", "产业链环节"]
    assert {row[2] for row in rows} == {"原材料"}
    heading, *rows = cells(client.get("/tables/parts.csv?lang=en&chain_level=material&columns=key,chain_level"))
    assert heading == ["Key", "Chain level"]
    assert {row[1] for row in rows} == {"Raw material"}
    for of in KINDS.values():
        for lang in ("zh", "en"):
            heading, *_ = cells(client.get(f"/tables/{of.sheet or of.name + 's'}.csv?lang={lang}"))
            assert len(set(heading)) == len(of.schema)


def test_no_cell_of_a_csv_is_a_formula(client: Client, view: View) -> None:
    heading, *rows = cells(client.get("/tables/parts.csv"))
    names = {row[heading.index("name_zh")] for row in rows}
    assert "'=2+5" in names
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    told = {row["name_zh"] for row in client.get("/tables/parts.json").json()}
    assert "=2+5" in told
    assert told == set(view.table("part")["name_zh"].to_list())


def test_texts_with_separators_survive(client: Client, view: View) -> None:
    heading, *rows = cells(client.get("/tables/parts.csv?columns=name_en,key"))
    assert heading == ["name_en", "key"]
    wanted = view.table("part").sort("key")["name_en"].fill_null("").str.replace("^=", "'=")
    assert [row[0] for row in rows] == wanted.to_list()


def test_a_csv_can_be_taken_in_again(client: Client) -> None:
    heading, *_ = cells(client.get("/tables/parts.csv"))
    assert set(kind("part").fields) <= set(heading)


def test_files_are_named(client: Client) -> None:
    response = client.get("/tables/parts.csv")
    assert response.headers["content-disposition"] == 'attachment; filename="parts.csv"'
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert json.loads(client.get("/tables/parts.json?limit=1").content)
