"""Files as factories make them are taken as they are: the kind, the rows, the questions, two cells, and once only."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from chaingraph import Workspace
from fixtures import factory
from ingest.decisions import SheetDecisions
from ingest.load import load, look
from tests.ingest.files import copied

FIXTURES = Path(__file__).parents[2] / "fixtures"
UPLOADS = FIXTURES / "uploads"


@dataclass(frozen=True)
class Made:
    """What is to come of a file: by kind the new rows and those that are known, the questions with their answers by
    table, refused rows, and cells: kind, field, value, in how many rows.
    """

    new: dict[str, int]
    same: dict[str, int] = field(default_factory=dict)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    cells: tuple[tuple[str, str, object, int], ...] = ()
    by: str = "L01"


_BOM = {"contains": 11, "part": 1}
_KNOWN = {"part": 10}
_LINES = (
    ("contains", "quantity", 0.01, 1),
    ("contains", "child", "L01/X03", 2),
    ("part", "name_zh", "拉杆（示例）", 1),
)
_CUMULATIVE = (("life_record", "age", 937.0, 1), ("life_record", "id", "WX-2025-0032", 1))

FILES = {
    "故障维修记录_2025.csv": Made({"life_record": 40}, cells=(("life_record", "age", 9000.0, 40),)),
    "来料检验_月报.csv": Made({"inspection": 24}, cells=(("inspection", "ppm", 25000.0, 7),)),
    "索赔明细_含个人信息列.csv": Made({"life_record": 20}, by="L02", cells=(("life_record", "age", 6968.0, 1),)),
    "factory/01_机床维修记录_2025年6月.xlsx": Made(
        {"life_record": 20}, cells=(("life_record", "age", 1291.0, 1), ("life_record", "part", "L01/A21", 7))
    ),
    "factory/02_台架失效日志导出.csv": Made(
        {"life_record": 30}, by="L02", cells=(("life_record", "event", "failure", 10), ("life_record", "age", 353.0, 1))
    ),
    "factory/03_三包索赔明细_含车辆.xlsx": Made(
        {"life_record": 25}, by="L02",
        cells=(("life_record", "age", 2813.0, 1), ("life_record", "product", "L02/EDU150", 25))
    ),
    "factory/04_warranty_claims.csv": Made(
        {"life_record": 12}, by="L02", cells=(("life_record", "maker", "S29", 12), ("life_record", "unit", "h", 12))
    ),
    "factory/05_发货明细_2025Q2.xlsx": Made(
        {"shipment": 24}, cells=(("shipment", "usage_per_month", 375.0, 24), ("shipment", "quantity", 89, 1))
    ),
    "factory/06_在用设备台账.xlsx": Made(
        {"life_record": 18}, answers={"06_在用设备台账.xlsx[台账]": {"event": "suspension"}},
        cells=(("life_record", "event", "suspension", 18), ("life_record", "part", "L01/VMC850", 18)),
    ),
    "factory/07_来料检验月报_6月.xlsx": Made(
        {"inspection": 15}, cells=(("inspection", "checked", 80, 15), ("inspection", "disposition", "concession", 7))
    ),
    "factory/08_供应商月度PPM.xlsx": Made(
        {"inspection": 18}, cells=(("inspection", "received", 10_500, 3), ("inspection", "ppm", 95.0, 3))
    ),
    "factory/09_可靠性试验报告汇总.xlsx": Made(
        {"reliability_test": 12},
        cells=(("reliability_test", "duration", 1000.0, 12), ("reliability_test", "result", "failed", 6)),
    ),
    "factory/10_qualification_results.jsonl": Made(
        {"reliability_test": 7},
        cells=(("reliability_test", "acceleration", 78.5, 7), ("reliability_test", "test", "HTOL", 2)),
    ),
    "factory/11_PFMEA_电主轴装配.xlsx": Made(
        {"fmea_item": 10}, cells=(("fmea_item", "severity", 6, 3), ("fmea_item", "priority", "M", 4))
    ),
    "factory/12_液压系统FMECA_严酷度.ods": Made(
        {"fmea_item": 12}, cells=(("fmea_item", "severity_class", "I", 3), ("fmea_item", "part", "L01/A62", 6))
    ),
    "factory/13_8D报告台账.xlsx": Made(
        {"problem": 9}, cells=(("problem", "customer", "L01", 9), ("problem", "state", "closed", 4))
    ),
    "factory/14_PCN变更通知清单.csv": Made(
        {"change_notice": 8}, cells=(("change_notice", "category", "site", 3), ("change_notice", "part", "L01/X02", 3))
    ),
    "factory/15_合格供方名录.xlsx": Made(
        {"approval": 10}, cells=(("approval", "status", "conditional", 5), ("approval", "category", "轴承", 3))
    ),
    "factory/16_批次追溯_投料记录.xlsx": Made(
        {"lot_genealogy": 12},
        cells=(("lot_genealogy", "quantity", 0.4, 1), ("lot_genealogy", "from_part", "L01/M04", 12))
    ),
    "factory/17_轴承生产批次.csv": Made({"lot": 12},
        cells=(("lot", "quantity", 401.0, 1), ("lot", "maker", "S05", 12))),
    "factory/18_故障累计台账_截至4月.xlsx": Made({"life_record": 32}, cells=_CUMULATIVE),
    "factory/19_故障累计台账_截至5月.xlsx": Made({"life_record": 40}, cells=_CUMULATIVE),
    "factory/20_故障累计台账_截至6月.xlsx": Made({"life_record": 48}, cells=_CUMULATIVE),
    "factory/21_BOM_层级012.xlsx": Made(_BOM, _KNOWN, cells=_LINES),
    "factory/22_BOM_dotted_levels.csv": Made(_BOM, _KNOWN, cells=_LINES[:2]),
    "factory/23_BOM_多级编号.xlsx": Made(_BOM, _KNOWN, cells=(*_LINES, ("contains", "find_no", "4", 1))),
    "factory/24_BOM_名称缩进.xlsx": Made(_BOM, _KNOWN, cells=_LINES),
    "factory/25_BOM_加号.csv": Made(_BOM, _KNOWN, cells=_LINES),
    "factory/26_BOM_父子件.xlsx": Made(_BOM, _KNOWN, cells=_LINES),
    "factory/27_BOM_分级列.xlsx": Made(_BOM, _KNOWN, cells=_LINES),
    "factory/28_BOM_编码缩进.parquet": Made(_BOM, _KNOWN, cells=_LINES),
    "factory/29_零件清单.parquet": Made(
        {"part": 20}, cells=(("part", "part_class", "bracket", 20), ("part", "name_zh", "示例支架7", 1))
    ),
    "factory/30_供应商清单.xls": Made(
        {"organisation": 8},
        cells=(("organisation", "tier", 3, 8), ("organisation", "name_zh", "示例8号机械厂（示例）", 1))
    ),
    "factory/31_客户料号图号对照表.xlsx": Made(
        {"part_alias": 7}, cells=(("part_alias", "number", "QHK-021", 1), ("part_alias", "organisation", "L02", 7))
    ),
    "factory/32_供货配额.xlsx": Made(
        {"supplies": 6}, cells=(("supplies", "share", 0.75, 1), ("supplies", "lead_time_days", 93.0, 1))
    ),
    "factory/33_可靠性指标声明.xlsx": Made(
        {"declared_value": 4}, cells=(("declared_value", "value", 90_000.0, 1), ("declared_value", "metric", "mtbf", 2))
    ),
    "factory/34_月报_多表.xlsx": Made(
        {"shipment": 5, "inspection": 4}, cells=(("shipment", "quantity", 11, 1), ("inspection", "received", 400, 1))
    ),
    "factory/35_来料检验_6月_一厂.csv": Made(
        {"inspection": 15}, cells=(("inspection", "maker", "S35", 5), ("inspection", "report_no", "IQC-一厂-001", 1))
    ),
    "factory/36_来料检验_6月_二厂.csv": Made(
        {"inspection": 15}, cells=(("inspection", "lot", "L01/X20/S21/EC2502", 2), ("inspection", "rejected", 1, 8))
    ),
    "factory/37_失效模式库.xlsx": Made({"mode": 6},
        cells=(("mode", "severity", 4, 1), ("mode", "repair_hours", 12.0, 1))),
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with the demo consortium's committed sheets."""
    folder = tmp_path_factory.mktemp("demo")
    with Workspace.open(f"sqlite:///{folder}/store/graph.db") as workspace:
        load(workspace, sorted((FIXTURES / "demo").glob("*.csv")))
    return folder / "store"


@pytest.fixture
def consortium(demo: Path, tmp_path: Path) -> Iterator[Workspace]:
    with copied(demo, tmp_path) as workspace:
        yield workspace


def counted(counts: list[dict[str, str | int | None]], what: str) -> dict[str, int]:
    return {str(each["kind"]): int(each[what] or 0) for each in counts if each[what]}


@pytest.mark.parametrize("name", FILES, ids=lambda name: name.rpartition("/")[2].split("_")[0].split(".")[0])
def test_a_file_of_a_factory_is_taken_as_it_is(consortium: Workspace, name: str) -> None:
    made, path = FILES[name], UPLOADS / name
    if made.answers:
        asked = {
            s.table.name: {q.id: q.required for q in s.questions}
            for s in look(consortium, [path], by=made.by).opened.sheets
        }
        assert asked == {table: dict.fromkeys(answers, True) for table, answers in made.answers.items()}
    report = load(consortium, [path], by=made.by, decisions=decided(made))
    assert [f.to_row("en") for f in report.findings if f.severity == "error"] == []  # no question is open either
    assert counted(report.count_rows(), "new") == made.new
    assert counted(report.count_rows(), "same") == made.same
    for kind, column, value, times in made.cells:
        rows = brought(consortium, kind, set(report.uploads.values()))
        assert rows.filter(pl.col(column).cast(pl.String) == str(value)).height == times, (
            column,
            rows[column].to_list(),
        )


@pytest.mark.parametrize("by", ["L01", "L02"])
def test_the_same_files_again_change_nothing(consortium: Workspace, by: str) -> None:
    files = {UPLOADS / name: made for name, made in FILES.items() if made.by == by and "BOM" not in name}
    decisions = {table: each for made in files.values() for table, each in decided(made).items()}
    first = load(consortium, list(files), by=by, decisions=decisions)
    again = load(consortium, list(files), by=by, decisions=decisions)
    assert first.total.new > 80
    assert (again.total.new, again.total.changed, again.total.raw, again.revision) == (0, 0, 0, None)


def test_a_bill_again_changes_nothing(consortium: Workspace) -> None:
    path = UPLOADS / "factory" / "23_BOM_多级编号.xlsx"
    first, again = (load(consortium, [path], by="L01") for _ in range(2))
    assert (first.total.new, again.total.new, again.total.changed, again.revision) == (12, 0, 0, None)


def decided(made: Made) -> dict[str, SheetDecisions]:
    return {table: SheetDecisions(answers=answers) for table, answers in made.answers.items()}


def brought(workspace: Workspace, kind: str, uploads: set[str]) -> pl.DataFrame:
    """The rows of a kind that some uploads brought."""
    return workspace.view().stated(kind).filter(pl.col("upload").is_in(list(uploads)))


def test_a_sheet_that_grows_from_month_to_month_counts_nothing_twice(consortium: Workspace) -> None:
    months = sorted((UPLOADS / "factory").glob("*故障累计台账*"))
    reports = [load(consortium, [path], by="L01") for path in months]
    assert [(r.total.new, r.total.same, r.total.changed) for r in reports] == [(32, 0, 0), (8, 32, 0), (8, 40, 0)]
    assert consortium.view().stated("life_record").height == 48


def test_several_files_of_one_month_are_one_load(consortium: Workspace) -> None:
    files = sorted((UPLOADS / "factory").glob("*_来料检验_6月_*"))
    report = load(consortium, files, by="L01")
    assert (len(files), report.total.new, report.total.refused) == (2, 30, 0)


def test_every_file_has_its_line_here_and_in_the_readme() -> None:
    there = {path.relative_to(UPLOADS).as_posix() for path in UPLOADS.rglob("*") if path.is_file()}
    assert there == set(FILES)
    assert len(there) >= 30
    told = (FIXTURES / "README.md").read_text(encoding="utf-8")
    assert [name for name in FILES if f"`{name.rpartition('/')[2]}`" not in told] == []
    assert sum((UPLOADS / name).stat().st_size for name in FILES) < 1_000_000


def test_the_same_files_are_made_anew(tmp_path: Path) -> None:
    factory.write(tmp_path)
    names = [path.name for path in (UPLOADS / "factory").iterdir()]
    assert filecmp.cmpfiles(tmp_path, UPLOADS / "factory", names, shallow=False) == (names, [], [])


def test_what_is_told_of_a_bill_stays_what_it_was(consortium: Workspace, tmp_path: Path) -> None:
    before = consortium.view().table("part").filter(pl.col("number") == "A12")
    path = shutil.copy(UPLOADS / "factory" / "21_BOM_层级012.xlsx", tmp_path / "bom.xlsx")
    load(consortium, [Path(path)], by="L01")
    assert consortium.view().table("part").filter(pl.col("number") == "A12").equals(before)
