"""`agreements`: who may see what, made, looked at and taken back from the command line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schema import kind
from schema.text import Text
from schema.vocabularies import AgreementState, Aspects, AtEnd, Disclosure, Purpose, RequestState
from server.cli import output
from server.cli.command import argument, command, group, option
from server.cli.session import Session

if TYPE_CHECKING:
    import polars as pl

    from chaingraph import Actor
    from chaingraph.agreements import Preview, Terms

DRY_RUN = Text("试运行：什么也没有写入。", "Dry run: nothing was written.")
ACCOUNT = "cli"
"""What the audit log says of who uses the command line."""
DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z"]
_LISTED = ("key", "owner", "grantee", "state", "mode", "records", "aspects", "purposes", "end")


def as_option(*, required: bool = False) -> click.Parameter:
    """Who acts."""
    return option(
        "--as", "by", zh="以该组织的名义；缺省为存储的管理员。", metavar="ORG", required=required,
        en="As this organisation; as the administrator of the store where none is named.",
    )  # fmt: skip


def dry_option() -> click.Parameter:
    """Try only."""
    return option("--dry-run", is_flag=True, zh="只说会怎样，不写入。", en="Say what would come of it; write nothing.")


def _version() -> click.Parameter:
    return option("--version", zh="版本；缺省为最新。", en="Which version; the newest where none is named.", type=int)


def _terms() -> list[click.Parameter]:
    """The options that say the terms."""
    day = click.DateTime(DAYS)
    return [
        option("--preset", zh="预设。", en="One of the presets.", type=click.Choice(["customer", "pooled", "public"])),
        option("--owner", zh="谁的数据；缺省为 --as。", en="Whose data; those of --as by default.", metavar="ORG"),
        option(
            "--grantee", zh="与谁共享：组织、consortium:ID、group:ID/NAME 或 everyone。", metavar="WHOM",
            en="With whom: an organisation, consortium:ID, group:ID/NAME or everyone.",
        ),
        option(
            "--records", zh="记录范围：all，或 part:、subtree:、class:、product: 加对象，分号分隔。", metavar="WHICH",
            en="Rows about what: all, or part:, subtree:, class:, product: and what, with semicolons between.",
        ),
        option("--aspects", zh=f"共享内容，逗号分隔：{'、'.join(Aspects.codes())}。", metavar="CODES",
               en=f"What, with commas between: {', '.join(Aspects.codes())}."),
        option("--purposes", zh=f"用途，逗号分隔：{'、'.join(Purpose.codes())}。", metavar="CODES",
               en=f"For what, with commas between: {', '.join(Purpose.codes())}."),
        option("--from", "start", zh="开始时间（UTC）；缺省为现在。", en="From when (UTC); now by default.", type=day),
        option("--until", "end", zh="结束时间（UTC，不含）；缺省为一年后。", type=day,
               en="Until when (UTC), that moment not included; a year from the beginning by default."),
        option("--onward/--no-onward", default=None, zh="可否转授。", en="Whether it may be passed on."),
        option("--at-end", zh="到期处理。", en="What becomes of the data then.", type=click.Choice(AtEnd.codes())),
        option("--mode", zh="使用方式。", en="How figures may be used.", type=click.Choice(Disclosure.codes())),
        option("--note", zh="说明。", en="What there is to say of it.", metavar="TEXT"),
    ]  # fmt: skip


def actor(by: str | None, purpose: str = Purpose.QUALITY.value) -> Actor:
    """Who acts: an organisation, or the administrator of the store."""
    from chaingraph import EVERYBODY, Actor

    wanted = next(each for each in Purpose if each.value == purpose)
    return Actor(by or EVERYBODY, purpose=wanted, account=ACCOUNT)


def given_terms(session: Session, by: str | None, given: dict[str, Any], base: Terms | None = None) -> Terms:
    """The terms that the options say: a preset's, or `base`, with what is given besides.

    Raises wrong usage where something is missing.
    """
    from chaingraph.agreements import Terms, preset

    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    owner = given["owner"] or (base.owner if base else by)
    if not owner:
        raise click.UsageError(
            session.say(Text("请用 --owner 或 --as 说明谁的数据。", "Say whose data: --owner or --as."))
        )
    if given["preset"]:
        base = preset(given["preset"], owner, given["grantee"], given["start"] or now, given["records"] or "all")
    said = {name: given[name] for name in _TERMS if given[name] is not None}
    for name in ("aspects", "purposes"):
        if name in said:
            said[name] = said[name].replace(",", ";")
    fields: dict[str, Any] = (
        {"owner": owner} | {name: getattr(base, name) for name in _TERMS if base is not None} | said
    )
    for name in ("grantee", "aspects", "purposes"):
        if not fields.get(name):
            wrong = Text(f"缺少 --{name}（或 --preset）。", f"There is no --{name} (nor a --preset).")
            raise click.UsageError(session.say(wrong))
    fields.setdefault("start", now)
    fields.setdefault("end", fields["start"] + dt.timedelta(days=365))
    return Terms.of(**fields)


_TERMS = (
    "grantee", "records", "aspects", "purposes", "start", "end", "onward", "at_end", "mode", "note",
)  # fmt: skip


@command(
    "list",
    zh="列出本方可知的协议。",
    en="List the agreements that you may know of.",
    params=[
        as_option(),
        option("--state", zh="只列该状态。", en="Of this state only.", type=click.Choice(AgreementState.codes())),
    ],
)
def list_agreements(session: Session, by: str | None, state: str | None) -> None:
    """Newest last."""
    import polars as pl

    from chaingraph.agreements import visible

    with session.workspace(existing=True) as workspace:
        rows = visible(workspace.snapshot(), actor(by))
    rows = rows.filter(pl.col("state") == state) if state else rows
    answer_rows(session, "agreement", rows, _LISTED)


@command(
    "show",
    zh="给出一个协议的全部条款，以及用平常的话说是什么意思。",
    en="Show all terms of an agreement, and what they mean in plain words.",
    params=[argument("number", metavar="ID"), _version(), as_option()],
)
def show(session: Session, number: str, version: int | None, by: str | None) -> None:
    """The newest version, unless one is named."""
    from chaingraph.agreements import find, preview

    with session.workspace(existing=True) as workspace:
        row, terms = find(workspace, actor(by), number, version)
        meant = preview(workspace, actor(by), terms)
    of = kind("agreement")
    if session.format != "table":
        payload = {"key": row["key"], "owner": row["owner"], **{n: _shown(row[n]) for n in of.fields}}
        _answer_preview(session, meant, payload)
        return
    cells = [[session.say(of.fields[n].label), _shown(row[n])] for n in of.fields if row[n] is not None]
    session.answer(None, [session.say(Text("条款", "Term")), session.say(Text("内容", "Value"))], cells)
    output.line()
    for each in meant.sentences:
        output.line(session.say(each))


@command(
    "preview",
    zh="用平常的话说明这些条款之后谁能看到什么；不写入任何内容。",
    en="Say in plain words who would see what after these terms; nothing is written.",
    params=[as_option(), *_terms()],
)
def preview_terms(session: Session, by: str | None, **given: Any) -> None:
    """Of the owner's own rows."""
    from chaingraph.agreements import preview

    with session.workspace(existing=True) as workspace:
        _answer_preview(session, preview(workspace, actor(by), given_terms(session, by, given)), {})


@command(
    "propose",
    zh="提出协议，或（用 --id）已有协议的新版本；对方确认后生效。",
    en="Propose an agreement, or (with --id) another version of one; it holds once the other side has accepted.",
    params=[
        option("--id", "number", zh="已有协议的号码。", en="Number of an agreement there is.", metavar="ID"),
        as_option(), *_terms(), dry_option(),
    ],
)  # fmt: skip
def propose(session: Session, number: str | None, by: str | None, dry_run: bool, **given: Any) -> None:
    """Says what it means, too."""
    from chaingraph.agreements import preview
    from chaingraph.agreements import propose as propose_terms

    with session.workspace(existing=True) as workspace:
        terms = given_terms(session, by, given)
        key = propose_terms(workspace, actor(by), terms, number, dry_run=dry_run)
        meant = preview(workspace, actor(by), terms)
    said = number if dry_run else key
    _answer_preview(session, meant, {"agreement": said, "dry_run": dry_run})
    if session.format == "table":
        session.note(DRY_RUN if dry_run else Text(f"已提出 {key}。", f"Proposed: {key}."))


@command(
    "accept",
    zh="确认对方提出的版本，自此生效。",
    en="Accept what the other side has proposed; from then on it holds.",
    params=[argument("number", metavar="ID"), _version(), as_option(), dry_option()],
)
def accept(session: Session, number: str, version: int | None, by: str | None, dry_run: bool) -> None:
    """Says what it means, too."""
    from chaingraph.agreements import accept as accept_version
    from chaingraph.agreements import find, preview

    with session.workspace(existing=True) as workspace:
        key = accept_version(workspace, actor(by), number, version, dry_run=dry_run)
        meant = preview(workspace, actor(by), find(workspace, actor(by), number, version)[1])
    _answer_preview(session, meant, {"agreement": key, "dry_run": dry_run})
    if session.format == "table":
        session.note(DRY_RUN if dry_run else Text(f"已确认 {key}。", f"Accepted: {key}."))


@command(
    "decline",
    zh="拒绝对方提出的版本。",
    en="Decline what the other side has proposed.",
    params=[argument("number", metavar="ID"), _version(), as_option(), dry_option()],
)
def decline(session: Session, number: str, version: int | None, by: str | None, dry_run: bool) -> None:
    """The newest version, unless one is named."""
    from chaingraph.agreements import decline as decline_version

    with session.workspace(existing=True) as workspace:
        key = decline_version(workspace, actor(by), number, version, dry_run=dry_run)
    answer_done(session, [key], AgreementState.DECLINED, dry_run=dry_run)


@command(
    "revoke",
    zh="立即终止协议的全部版本，双方均可。",
    en="End all versions of an agreement at once; either side may.",
    params=[argument("number", metavar="ID"), _version(), as_option(), dry_option()],
)
def revoke(session: Session, number: str, version: int | None, by: str | None, dry_run: bool) -> None:
    """Those that hold or wait."""
    from chaingraph.agreements import revoke as revoke_versions

    with session.workspace(existing=True) as workspace:
        keys = revoke_versions(workspace, actor(by), number, version, dry_run=dry_run)
    answer_done(session, list(keys), AgreementState.REVOKED, dry_run=dry_run)


@command(
    "export",
    zh="以 Catena-X 的 ODRL 规范（JSON-LD）输出协议；不能表达的条款在标准错误中列出。",
    en=(
        "Write an agreement as JSON-LD in the Catena-X profile of ODRL.\n\nTerms that it cannot say are listed on "
        "standard error."
    ),
    params=[argument("number", metavar="ID"), _version(), as_option()],
    default_format="json",
)
def export(session: Session, number: str, version: int | None, by: str | None) -> None:
    """The newest version, unless one is named."""
    from chaingraph.agreements import export_odrl, find

    with session.workspace(existing=True) as workspace:
        row, terms = find(workspace, actor(by), number, version)
    held = row["changed_at"] if row["state"] == AgreementState.ACCEPTED.value else None
    found = export_odrl(terms, row["key"], held)
    output.json(found.document)
    for name, why in found.unmapped:
        label = kind("agreement").fields[name].label
        session.note(Text(f"未写入：{label.zh}：{why.zh}", f"Not in it: {label.en}: {why.en}"))


@command(
    "import",
    zh="读取 ODRL（JSON-LD）文件并据此提出协议；文件没有说的由选项补充，看不懂的逐条列出。",
    en=(
        "Read ODRL (JSON-LD) and propose what it says.\n\nWhat it does not say comes of the options; what is not "
        "understood is listed."
    ),
    params=[
        argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        option("--id", "number", zh="已有协议的号码。", en="Number of an agreement there is.", metavar="ID"),
        as_option(), *_terms(), dry_option(),
    ],
)  # fmt: skip
def import_(session: Session, file: Path, number: str | None, by: str | None, dry_run: bool, **given: Any) -> None:
    """What the document says comes first."""
    from chaingraph import ChaingraphError
    from chaingraph.agreements import preview, read_odrl
    from chaingraph.agreements import propose as propose_terms

    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ChaingraphError(
            "agreement.odrl", Text("文件不是 JSON。", "The file is no JSON."), Text("请检查文件。", "Check the file.")
        ) from error
    needed = {"grantee": "?", "aspects": "structure", "purposes": "quality"}
    filled = given | {name: given[name] or value for name, value in needed.items() if not given["preset"]}
    base = given_terms(session, by or given["owner"] or "?", filled)
    found = read_odrl(document, base)
    for place, what in found.unread:
        session.note(Text(f"未采用：{place}：{what}", f"Not taken: {place}: {what}"))
    missing = [name for name in needed if name not in found.said and not given[name] and not given["preset"]]
    missing += ["owner"] if found.terms.owner == "?" else []
    if missing:
        raise click.UsageError(
            session.say(
                Text(
                    f"文件没有说明，请给出：{'、'.join(f'--{name}' for name in missing)}。",
                    f"The file does not say it; give {', '.join(f'--{name}' for name in missing)}.",
                )
            )
        )
    with session.workspace(existing=True) as workspace:
        key = propose_terms(workspace, actor(by), found.terms, number, dry_run=dry_run)
        meant = preview(workspace, actor(by), found.terms)
    unread = [{"place": place, "value": what} for place, what in found.unread]
    said = {"agreement": number if dry_run else key, "dry_run": dry_run, "said": list(found.said), "unread": unread}
    _answer_preview(session, meant, said)
    if session.format == "table":
        session.note(DRY_RUN if dry_run else Text(f"已提出 {key}。", f"Proposed: {key}."))


def answer_rows(session: Session, name: str, rows: pl.DataFrame, columns: tuple[str, ...]) -> None:
    """Stored rows as an answer: all fields as JSON, some as a table."""
    of = kind(name)
    headings = [
        session.say(of.fields[n].label) if n in of.fields else _HEADINGS[n].say(session.locale) for n in columns
    ]
    wanted = [*dict.fromkeys(("key", "owner", *of.fields))]
    payload = [{n: _shown(row[n]) for n in wanted} for row in rows.select(wanted).to_dicts()]
    session.answer(payload, headings, [[_shown(row[n]) for n in columns] for row in rows.to_dicts()])


_HEADINGS = {"key": Text("协议/版本", "Agreement/version"), "owner": Text("数据所有者", "Owner")}


def _shown(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, dt.datetime) else value


def _answer_preview(session: Session, meant: Preview, payload: dict[str, Any]) -> None:
    """What terms mean: sentences for people, the same by kind for programs."""
    labels = {n: kind("agreement").fields[n].label.say(session.locale) for n in ("aspects",)}
    shared = [
        {
            "kind": each.kind, "label": session.say(each.label), "rows": each.rows, "before": each.before,
            "hidden": [session.say(label) for label in each.hidden],
        }
        for each in meant.shared
    ]  # fmt: skip
    if session.format == "table":
        for sentence in meant.sentences:
            output.line(session.say(sentence))
        return
    sentences = [session.say(each) for each in meant.sentences]
    whole = {**payload, "named": meant.named, "firms": meant.firms, "sentences": sentences, "shared": shared}
    headings = ["kind", labels["aspects"], "rows", "before", "hidden"]
    session.answer(whole, headings, [[e["kind"], e["label"], e["rows"], e["before"], e["hidden"]] for e in shared])


def answer_done(session: Session, keys: list[str], state: AgreementState | RequestState, *, dry_run: bool) -> None:
    """What was done to which."""
    headings = [session.say(Text("号码", "Number")), session.say(Text("状态", "State"))]
    payload = {"numbers": keys, "state": state.value, "dry_run": dry_run}
    session.answer(payload, headings, [[key, session.say(state.text)] for key in keys])
    if dry_run:
        session.note(DRY_RUN)


agreements = group(
    "agreements",
    [list_agreements, show, preview_terms, propose, accept, decline, revoke, export, import_],
    zh="共享协议：谁可以看到什么。",
    en="Agreements: who may see what.",
)
