"""Files in and out on the command line: load, undo, template, export; exit status, languages, formats."""

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest

from chaingraph import Workspace
from tests.server.cli import Call

ROOT = Path(__file__).parents[2]
PARTS = "number,issuer,name_zh,age_unit\nP1,L01,主轴,h\nP2,L01,轴承,h\n"
LINES = "parent,child,quantity\nL01/P1,L01/P2,2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset of two parts and a line."""
    made = tmp_path / "data"
    made.mkdir()
    (made / "parts.csv").write_text(PARTS, encoding="utf-8")
    (made / "contains.csv").write_text(LINES, encoding="utf-8")
    return made


def counts(call: Call) -> dict[str, int]:
    """How many rows of each kind the store has."""
    with Workspace.open(call.store) as workspace:
        view = workspace.view()
        return {name: view.count(name) for name in ("part", "contains", "upload")}


def test_a_folder_is_loaded_and_the_same_again_changes_nothing(call: Call, folder: Path) -> None:
    first = call("load", str(folder), "--format", "json")
    assert first.exit_code == 0
    report = json.loads(first.stdout)
    assert report["total"]["new"] == 3
    assert set(report["uploads"]) == {"contains.csv", "parts.csv"}
    again = json.loads(call("load", str(folder), "--format", "json").stdout)
    assert (again["total"]["new"], again["total"]["same"], again["uploads"]) == (0, 3, {})
    assert counts(call) == {"part": 2, "contains": 1, "upload": 2}


def test_a_dry_run_says_what_would_change_and_changes_nothing(call: Call, folder: Path) -> None:
    told = call("load", str(folder), "--dry-run")
    assert told.exit_code == 0
    assert "nothing was written" in told.stdout
    assert counts(call) == {"part": 0, "contains": 0, "upload": 0}


def test_good_rows_are_kept_bad_ones_listed_and_the_status_is_1(call: Call, folder: Path) -> None:
    (folder / "contains.csv").write_text(LINES + "L01/P1,L01/P2,many\n", encoding="utf-8")
    tried = call("load", str(folder), "--dry-run")
    assert tried.exit_code == 1
    assert tried.stderr.splitlines()[-1].startswith("load.refused: Refused: rows 1. The rest would be taken.")
    told = call("load", str(folder), "--format", "csv")
    assert told.exit_code == 1
    assert told.stderr.splitlines()[-1].startswith("load.refused: Refused: rows 1. The rest was taken.")
    row = next(csv.DictReader(io.StringIO(told.stdout)))
    assert (row["Code"], row["File"], row["Row"], row["Column"], row["Value"]) == (
        "value.number", "contains.csv", "3", "quantity", "many",
    )  # fmt: skip
    assert row["Remedy"]
    assert counts(call)["contains"] == 1


def test_a_table_has_findings_that_say_the_same_once(call: Call, folder: Path) -> None:
    (folder / "contains.csv").write_text(LINES + "L01/P1,L01/P2,many\n" * 200, encoding="utf-8")
    told = call("load", str(folder)).stdout
    assert told.count("value.number") == 1
    assert "3, 4, 5 … (200)" in told


def test_strict_takes_nothing_and_ends_with_1(call: Call, folder: Path) -> None:
    (folder / "contains.csv").write_text(LINES + "L01/P1,L01/P2,many\n", encoding="utf-8")
    told = call("load", str(folder), "--strict", "--lang", "zh")
    assert told.exit_code == 1
    assert told.stderr.splitlines()[-1].startswith("load.refused: 拒收：行 4。没有收下任何内容。")
    assert counts(call) == {"part": 0, "contains": 0, "upload": 0}


def test_a_file_refused_as_a_whole_ends_with_1_and_the_rest_is_taken(call: Call, folder: Path) -> None:
    (folder / "supplies.csv").write_bytes(b"")
    told = call("load", str(folder))
    assert told.exit_code == 1
    assert "file.empty" in told.stdout
    assert "Refused: files 1. The rest was taken." in told.stderr
    assert counts(call)["part"] == 2


def test_a_sheet_or_a_column_refused_ends_with_1(call: Call, tmp_path: Path) -> None:
    (tmp_path / "contains.csv").write_text("parent,quantity\nL01/P1,2\n", encoding="utf-8")
    told = call("load", str(tmp_path / "contains.csv"))
    assert told.exit_code == 1
    assert "load.refused: Refused: rows 1. Nothing was taken." in told.stderr
    (tmp_path / "lots.csv").write_text("part,maker,code,数量(公里)\nP2,S05,B1,7\n", encoding="utf-8")
    told = call("load", str(tmp_path / "lots.csv"))
    assert told.exit_code == 1
    assert "load.refused: Refused: columns 1. The rest was taken." in told.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "fixtures" / "uploads").glob("*.csv")), ids=lambda path: path.stem)
def test_warnings_and_rows_of_no_kind_yet_are_no_refusal(call: Call, path: Path) -> None:
    for _ in range(2):
        told = call("load", str(path), "--as", "L01")
        assert told.exit_code == 0, told.stderr


def test_a_missing_file_ends_with_1(call: Call, tmp_path: Path) -> None:
    told = call("load", str(tmp_path / "nothing.csv"))
    assert told.exit_code == 1
    assert "file.missing" in told.stdout


def test_as_says_whose_the_rows_are(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "parts.csv"
    file.write_text("number,name_zh\nQ1,泵\n", encoding="utf-8")
    assert call("load", str(file), "--as", "S05").exit_code == 0
    with Workspace.open(call.store) as workspace:
        assert workspace.view().table("part").select("key", "owner").rows() == [("S05/Q1", "S05")]


def test_undo_takes_an_upload_back(call: Call, folder: Path) -> None:
    uploads = json.loads(call("load", str(folder), "--format", "json").stdout)["uploads"]
    told = call("undo", uploads["contains.csv"], "--format", "json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["removed"] == {"contains": 1}
    assert counts(call)["contains"] == 0


def test_undo_takes_a_load_back_by_its_number_that_load_printed(call: Call, folder: Path) -> None:
    printed = [line.split() for line in call("load", str(folder)).stdout.splitlines() if "chaingraph undo" in line]
    assert [words[-1] for words in printed] == ["it", "parts.csv", "contains.csv"]
    number = printed[0][printed[0].index("undo") + 1]
    tried = call("undo", number[:6], "--dry-run")
    assert tried.exit_code == 0
    assert "nothing was written" in tried.stderr
    assert counts(call)["part"] == 2
    told = json.loads(call("undo", number[:6], "--format", "json").stdout)
    assert told["removed"] == {"organisation": 1, "part": 2, "contains": 1}
    assert len(told["uploads"]) == 2
    assert counts(call) == {"part": 0, "contains": 0, "upload": 2}


def test_undoing_what_is_undone_says_so_and_ends_with_0(call: Call, folder: Path) -> None:
    upload = json.loads(call("load", str(folder), "--format", "json").stdout)["uploads"]["parts.csv"]
    call("undo", upload)
    again = call("undo", upload, "--lang", "zh")
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr.startswith("parts.csv：此前已经撤销，没有更改。")


def test_replace_retracts_what_the_new_file_does_not_bring(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "parts.csv"
    file.write_text(PARTS, encoding="utf-8")
    upload = json.loads(call("load", str(file), "--format", "json").stdout)["uploads"]["parts.csv"]
    file.write_text(PARTS.replace("P2,L01,轴承", "P3,L01,导轨"), encoding="utf-8")
    assert call("load", str(file), "--replace", upload).exit_code == 0
    with Workspace.open(call.store) as workspace:
        assert workspace.view().table("part")["number"].to_list() == ["P1", "P3"]


def test_an_unknown_upload_is_refused_with_code_and_remedy(call: Call, folder: Path) -> None:
    call("load", str(folder))
    told = call("undo", "U-nothing", "--lang", "zh")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith("upload.unknown: 没有回执号 U-nothing。")


def test_reading_commands_do_not_make_a_store(call: Call) -> None:
    for words in (("undo", "U-1"), ("where-used", "P1"), ("export", "out")):
        told = call(*words)
        assert (told.exit_code, told.stdout) == (1, "")
        assert told.stderr.startswith("store.missing: ")
    assert not Path(call.store.removeprefix("sqlite:///")).exists()


def test_a_store_address_that_no_store_understands_is_refused(call: Call, folder: Path) -> None:
    told = call("load", str(folder), "--store", "nonsense://x")
    assert told.exit_code == 1
    assert told.stderr.splitlines()[-1].startswith("store.address: ")


@pytest.mark.parametrize("kind", ["part", "parts", "零部件"])
def test_a_template_is_the_heading_row_of_a_sheet(call: Call, kind: str) -> None:
    heading = next(csv.reader(io.StringIO(call("template", kind).stdout)))
    assert heading[:2] == ["Number*", "Issuer*"]
    zh = next(csv.reader(io.StringIO(call("template", kind, "--lang", "zh").stdout)))
    assert zh[:2] == ["物料编码*", "编码方*"]


def test_a_template_explains_its_columns(call: Call) -> None:
    told = json.loads(call("template", "parts", "--format", "json").stdout)
    assert told[0]["column"] == "number"
    assert told[0]["required"] is True
    assert "料号" in told[0]["names"]
    assert call("template", "parts", "--format", "table").stdout


def test_a_template_is_written_to_a_new_file(call: Call, tmp_path: Path) -> None:
    for name, begins in (("parts.csv", b"\xef\xbb\xbf"), ("parts.XLSX", b"PK")):
        words = ("template", "parts", "--output", str(tmp_path / name))
        told = call(*words)
        assert (told.exit_code, told.stdout) == (0, "")
        assert (tmp_path / name).read_bytes().startswith(begins)
        again = call(*words)
        assert again.exit_code == 1
        assert again.stderr.startswith("file.FileExistsError: ")
        assert call("load", str(tmp_path / name)).exit_code == 0
    assert call("template", "parts", "--output", str(tmp_path / "parts.ods")).exit_code == 2
    assert not (tmp_path / "parts.ods").exists()


def test_a_template_comes_with_ones_own_parts(call: Call, tmp_path: Path) -> None:
    (tmp_path / "parts.csv").write_text("物料编码,名称\nA1,轴承\n", encoding="utf-8")
    assert call("load", str(tmp_path / "parts.csv"), "--as", "S1").exit_code == 0
    file = tmp_path / "lots.xlsx"
    assert call("template", "lots", "--output", str(file), "--as", "S1").exit_code == 0
    rows = pl.read_excel(file, sheet_name="lots", engine="calamine", has_header=False)
    assert rows.get_columns()[0].to_list()[1:] == ["A1"]
    assert call("template", "lots", "--as", "S1").exit_code == 2


def test_a_template_of_no_kind_is_refused(call: Call) -> None:
    told = call("template", "nonsense")
    assert told.exit_code == 1
    assert told.stderr.startswith("kind.unknown: ")


def test_what_is_exported_loads_as_the_same_graph(call: Call, folder: Path, tmp_path: Path) -> None:
    (folder / "lots.csv").write_text("part,maker,code\nL01/P2,S05,B/1\n", encoding="utf-8")
    (folder / "life_records.csv").write_text(
        "id,part,maker,lot,event,age\nr1,L01/P2,S05,B/1,failure,100\nr2,L01/P2,,L01%2FP2/S05/B%2F1,失效,200\n"
        "r3,L01/P2,S05,B/1,suspension,300\nr4,ours/1,,,failure,5\n",
        encoding="utf-8",
    )
    assert call("load", str(folder)).exit_code == 0
    out = tmp_path / "out"
    told = call("export", str(out), "--graphml", str(tmp_path / "graph.xml"), "--format", "json")
    assert told.exit_code == 0
    assert {row["table"]: row["rows"] for row in json.loads(told.stdout)}["Lot"] == 1
    lives = pl.read_csv(out / "life_records.csv")
    assert lives.select("owner", "id", "part", "lot").row(0) == ("local", "r1", "L01/P2", "B/1")
    assert (out / "parts.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "graphml" in (tmp_path / "graph.xml").read_text(encoding="utf-8")

    copy = f"sqlite:///{tmp_path / 'copy.db'}"
    assert call("load", str(out), "--store", copy).exit_code == 0
    with Workspace.open(call.store) as ours, Workspace.open(copy) as theirs:
        for name in ("part", "contains", "lot", "life_record", "organisation"):
            mine, other = (w.view().table(name).drop("upload", "row", "owner") for w in (ours, theirs))
            assert mine.equals(other), name


def test_no_text_of_an_export_starts_a_formula(call: Call, folder: Path, tmp_path: Path) -> None:
    (folder / "parts.csv").write_text(PARTS + 'P3,L01,"=cmd|""/c calc""!A1",h\n', encoding="utf-8")
    call("load", str(folder))
    call("export", str(tmp_path / "out"))
    assert pl.read_csv(tmp_path / "out" / "parts.csv")["name_zh"].to_list()[-1].startswith("'=cmd")
