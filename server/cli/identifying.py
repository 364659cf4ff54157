"""`identities`: who is behind a pseudonym, asked and answered from the command line."""

from __future__ import annotations

import datetime as dt

import click

from schema.vocabularies import Purpose, RequestState
from server.cli.agreeing import DAYS, actor, answer_done, answer_rows, as_option, dry_option
from server.cli.command import argument, command, group, option
from server.cli.session import Session

_ASKED = ("id", "asked", "requester", "pseudonym", "subject", "purpose", "state", "at", "until", "reason")


def _purpose() -> click.Parameter:
    return option(
        "--purpose", zh="用途。", en="For which purpose.", type=click.Choice(Purpose.codes()),
        default=Purpose.QUALITY.value, show_default=True,
    )  # fmt: skip


@command(
    "list",
    zh="列出本方提出和收到的身份申请。",
    en="List the requests for names that you made and that you are asked.",
    params=[as_option()],
)
def list_requests(session: Session, by: str | None) -> None:
    """Newest first."""
    from chaingraph.agreements import requests

    with session.workspace(existing=True) as workspace:
        answer_rows(session, "identity_request", requests(workspace, actor(by)), _ASKED)


@command(
    "request",
    zh="申请得知化名背后的企业：向透过其数据看到该化名的各家提出。",
    en="Ask who is behind a pseudonym: those are asked through whose data it is seen.",
    params=[
        argument("pseudonym", metavar="PSEUDONYM"), as_option(required=True), _purpose(),
        option("--reason", zh="理由。", en="Why.", metavar="TEXT"), dry_option(),
    ],
)  # fmt: skip
def request(session: Session, pseudonym: str, by: str, reason: str | None, dry_run: bool) -> None:
    """For the purpose for which it was seen."""
    from chaingraph.agreements import request_identity

    with session.workspace(existing=True) as workspace:
        number = request_identity(workspace, actor(by, session.purpose), pseudonym, reason, dry_run=dry_run)
    answer_done(session, [number], RequestState.REQUESTED, dry_run=dry_run)


@command(
    "grant",
    zh="同意告知（就本方而言）；各家都同意后才显示名称。",
    en="Agree, for your part, to tell the name; it is shown once all that are asked have.",
    params=[
        argument("number", metavar="ID"), as_option(),
        option("--until", zh="有效期至（UTC）。", en="Until when (UTC).", type=click.DateTime(DAYS)), dry_option(),
    ],
)  # fmt: skip
def grant(session: Session, number: str, by: str | None, until: dt.datetime | None, dry_run: bool) -> None:
    """Without end where none is given."""
    from chaingraph.agreements import grant_identity

    with session.workspace(existing=True) as workspace:
        grant_identity(workspace, actor(by), number, until, dry_run=dry_run)
    answer_done(session, [number], RequestState.GRANTED, dry_run=dry_run)


@command(
    "decline",
    zh="不同意告知，或收回此前的同意。",
    en="Decline to tell the name, or take back that you agreed.",
    params=[argument("number", metavar="ID"), as_option(), dry_option()],
)
def decline_request(session: Session, number: str, by: str | None, dry_run: bool) -> None:
    """At once."""
    from chaingraph.agreements import decline_identity

    with session.workspace(existing=True) as workspace:
        decline_identity(workspace, actor(by), number, dry_run=dry_run)
    answer_done(session, [number], RequestState.DECLINED, dry_run=dry_run)


identities = group(
    "identities",
    [list_requests, request, grant, decline_request],
    zh="化名背后的企业：申请与答复。",
    en="Who is behind a pseudonym: ask, and answer.",
)
