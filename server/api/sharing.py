"""Agreements and requests for names over GraphQL: proposing, answering, ending, and what it would mean."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import asdict
from typing import Any

import numpy as np
import strawberry
from strawberry import UNSET

from chaingraph import (
    PRESETS,
    Capability,
    ChaingraphError,
    NotFound,
    Terms,
    accept_agreement,
    decline_agreement,
    decline_identity,
    grant_identity,
    preset_terms,
    preview_agreement,
    preview_of_agreement,
    propose_agreement,
    request_identity,
    revoke_agreement,
)
from schema import Text, kind
from schema.vocabularies import Aspects, AtEnd, Disclosure, Purpose
from server.api import opaque
from server.api.aspects import CODE_OF, OWN, nothing
from server.api.context import Context, context_of
from server.api.errors import ApiError, Code
from server.api.inputs import argument, codes_of, described_enum, maybe, several
from server.api.mutations import Given, Reason, Returns, input_of, mutation, set_of
from server.api.rows import KindRows
from server.api.types import LOCALE, plain_type, publish, rows_of

PRESET_NAMES: Any = enum.Enum("AgreementPresetName", {name.upper(): name for name in PRESETS})  # type: ignore[misc]
PresetName = described_enum(
    PRESET_NAMES, "A ready-made agreement.", [f"{each.label.en} · {each.label.zh}" for each in PRESETS.values()]
)

WHICH = Given(str, "Which: the id of a version of it, or its key such as AG-S05-L01/1.", required=True)
TERMS = {
    "preset": Given(PresetName, "A ready-made agreement to begin with; what else is given takes its place."),
    "owner": Given(str, "Whose data, by its code; the asking organisation's where nothing is said."),
    "grantee": Given(str, "With whom: a code, `consortium:ID`, `group:ID/NAME` or `everyone`."),
    "records": Given(str, "Rows about what: `all` (usual), or `part:KEY`, `subtree:KEY`, `class:NAME`, `product:KEY`."),
    "aspects": Given(several(codes_of(Aspects)), "Which aspects."),
    "purposes": Given(several(codes_of(Purpose)), "For which purposes."),
    "start": Given(dt.datetime, "From when; from now where nothing is said."),
    "end": Given(dt.datetime, "Until when, that moment not included."),
    "onward": Given(bool, "May the grantee let others see it in turn? No where nothing is said."),
    "at_end": Given(codes_of(AtEnd), "What becomes of the data at the end."),
    "mode": Given(codes_of(Disclosure), "Shown, only used in computed results, or only pooled in benchmarks."),
    "note": Given(str, "What to say of it to the other side."),
}
TermsInput = input_of("AgreementTermsInput", "Terms of an agreement.", TERMS)

UNKNOWN = Reason("agreement.unknown", "UNKNOWN", "There is no such agreement.", "agreement")
SIDE = Reason("agreement.not_a_side", "NOT_A_SIDE", "The asking organisation is neither side of it.")
BAD_TERMS = Reason("agreement.terms", "TERMS", "No agreement may have such terms.", "terms")
ANSWERS = (
    UNKNOWN,
    SIDE,
    Reason("agreement.own_proposal", "OWN_PROPOSAL", "It is for the other side to answer."),
    Reason("agreement.state", "STATE", "It has been answered, replaced or revoked already."),
    Reason("agreement.over", "OVER", "Its time is over."),
)


def terms_of(context: Context, asked: Any) -> Terms:
    """The terms that an input comes to. Raises ChaingraphError `agreement.terms`."""
    given = set_of(asked)
    now = dt.datetime.now(dt.UTC)
    owner = given.pop("owner", context.actor.organisation)
    name = given.pop("preset", None)
    if name is not None:
        found = preset_terms(name, owner, given.get("grantee"), now)
        if found is None:
            raise _refused(
                Text("不共享无需协议。", "Sharing nothing needs no agreement."),
                Text("如已有协议，请撤销。", "Revoke the agreements that there are."),
            )
        given = {**asdict(found), **given}
        del given["owner"]
    missing = [each for each in ("grantee", "aspects", "purposes", "end") if each not in given]
    if missing:
        said = ", ".join(missing)
        raise _refused(
            Text(f"缺少：{said}。", f"Missing: {said}."), Text("请补充，或选用预设。", "Give it, or a preset.")
        )
    return Terms.of(owner, **{"start": now, **given})


def _refused(text: Text, remedy: Text) -> ChaingraphError:
    return ChaingraphError("agreement.terms", text, remedy)


def _version(context: Context, which: str) -> tuple[str, int]:
    """The number and version of an agreement of the viewer's. Raises NotFound."""
    view = context.look()
    (place,) = view.locate("agreement", [opaque.of(view).spelled(which, with_kind=False)]).tolist()
    if place < 0:
        raise NotFound(
            "agreement.unknown",
            Text("没有这个协议。", "There is no such agreement."),
            Text("请检查协议号。", "Check its number."),
        )
    row = view.table("agreement").row(place, named=True)
    return str(row["id"]), int(row["version"])


def _agreement(context: Context, key: str) -> Any:
    return rows_of(context.look(), [("agreement", key)])[0]


def _propose(context: Context, asked: Any) -> Any:
    number = _version(context, asked.agreement)[0] if asked.agreement else None
    return _agreement(
        context, propose_agreement(context.workspace, context.actor, terms_of(context, asked.terms), number)
    )


def _accept(context: Context, asked: Any) -> Any:
    return _agreement(context, accept_agreement(context.workspace, context.actor, *_version(context, asked.agreement)))


def _decline(context: Context, asked: Any) -> Any:
    return _agreement(context, decline_agreement(context.workspace, context.actor, *_version(context, asked.agreement)))


def _revoke(context: Context, asked: Any) -> Any:
    number, version = _version(context, asked.agreement)
    keys = revoke_agreement(context.workspace, context.actor, number, version if asked.only_this_version else None)
    return rows_of(context.look(), [("agreement", key) for key in keys])


def _requests(context: Context, number: str) -> Any:
    """The rows of a request that the viewer sees."""
    view = context.look()
    return KindRows(view, REQUEST, (view.table(REQUEST.name)["id"] == number).arg_true().to_numpy().astype(np.int64))


def _number(context: Context, which: str) -> str:
    """The number of a request, by the id or key of one of its rows, or itself."""
    view = context.look()
    (place,) = view.locate(REQUEST.name, [opaque.of(view).spelled(which, with_kind=False)]).tolist()
    return which if place < 0 else str(view.table(REQUEST.name)["id"][place])


REQUEST = kind("identity_request")
REQUESTS = Returns("requests", "list[IdentityRequest]", "The request, a row for each firm that is asked.", ())
ASKED = Given(str, "Which: the id of one of its rows, or its number such as IR-0123456789ab.", required=True)
NO_REQUEST = Reason("identity.unknown", "UNKNOWN", "There is no such request to the asking organisation.", "request")


def _ask(context: Context, asked: Any) -> Any:
    number = request_identity(context.workspace, context.actor, asked.pseudonym, asked.reason or None)
    return _requests(context, number)


def _grant(context: Context, asked: Any) -> Any:
    number = _number(context, asked.request)
    return _requests(context, grant_identity(context.workspace, context.actor, number, asked.until or None))


def _deny(context: Context, asked: Any) -> Any:
    return _requests(context, decline_identity(context.workspace, context.actor, _number(context, asked.request)))


ONE = Returns("agreement", "Agreement | None", "The version; null where something was refused.")
SOME = Returns("agreements", "list[Agreement | None]", "The versions that have ended.", ())
MUTATIONS: dict[str, Any] = {
    "agreement_propose": mutation(
        "agreement_propose",
        "Propose terms to the other side: an agreement, or the next version of one. It holds once both sides agree.",
        {
            "terms": Given(TermsInput, "The terms.", required=True),
            "agreement": Given(str, "The id or key of a version of the agreement of which these are the next terms."),
        },
        ONE,
        (BAD_TERMS, SIDE, UNKNOWN),
        _propose,
        Capability.AGREE,
    ),
    "agreement_accept": mutation(
        "agreement_accept",
        "Agree to a version that the other side proposed; it holds from then on, and those before it do not.",
        {"agreement": WHICH},
        ONE,
        ANSWERS,
        _accept,
        Capability.AGREE,
    ),
    "agreement_decline": mutation(
        "agreement_decline",
        "Say no to a version that the other side proposed.",
        {"agreement": WHICH},
        ONE,
        ANSWERS,
        _decline,
        Capability.AGREE,
    ),
    "agreement_revoke": mutation(
        "agreement_revoke",
        "End an agreement at once: all its versions, or one.",
        {"agreement": WHICH, "only_this_version": Given(bool, "End only the version named; others stay.")},
        SOME,
        (UNKNOWN, SIDE),
        _revoke,
        Capability.AGREE,
    ),
    "identity_request": mutation(
        "identity_request",
        "Ask who is behind a pseudonym; every firm through whose data it is seen is asked.",
        {
            "pseudonym": Given(str, "The pseudonym, as it is shown for this purpose.", required=True),
            "reason": Given(str, "Why, for those who are asked."),
        },
        REQUESTS,
        (Reason("pseudonym.unknown", "UNKNOWN", "There is no such pseudonym.", "pseudonym"),),
        _ask,
        Capability.ASK,
    ),
    "identity_grant": mutation(
        "identity_grant",
        "Agree, for the asking organisation's part, that the name behind a pseudonym is told.",
        {"request": ASKED, "until": Given(dt.datetime, "Until when; without end where nothing is said.")},
        REQUESTS,
        (NO_REQUEST, Reason("identity.over", "OVER", "That time has gone by.", "until")),
        _grant,
        Capability.AGREE,
    ),
    "identity_decline": mutation(
        "identity_decline",
        "Say no to a request for a name, or take back what was granted, at once.",
        {"request": ASKED},
        REQUESTS,
        (NO_REQUEST,),
        _deny,
        Capability.AGREE,
    ),
}

SharedRows = publish("SharedRows", plain_type("SharedRows", "What is shared of one kind of rows.", {
    "kind": (str, "The kind.", None),
    "label": (str, "What people call it.", None),
    "rows": (maybe(int), "How many of the owner's rows; null for all but the owner.", None),
    "before": (maybe(int), "How many of them are shared already; null for all but the owner.", None),
    "hidden": (several(str), "Which columns stay hidden.", None),
}, OWN))  # fmt: skip
AgreementPreview = publish("AgreementPreview", plain_type("AgreementPreview", "What terms mean, in plain words.", {
    "sentences": (several(str), "What they mean, a sentence each.", None),
    "shared": ("list[SharedRows]", "The same by kind of rows.", None),
    "names_shown": (bool, "Whether names of other firms in the rows are shown, else pseudonyms.", None),
    "firms": (maybe(int), "How many other firms the rows name; null for all but the owner.", None),
}, OWN))  # fmt: skip
AgreementPreset = publish("AgreementPreset", plain_type("AgreementPreset", "A ready-made agreement.", {
    "name": (PresetName, "Its name, for `preset`.", None),
    "label": (str, "What people call it.", None),
    "text": (str, "What it means.", None),
    "aspects": (several(codes_of(Aspects)), "Which aspects it shares.", None),
    "purposes": (several(codes_of(Purpose)), "For which purposes.", None),
    "mode": (codes_of(Disclosure), "How far figures may be used.", None),
    "at_end": (codes_of(AtEnd), "What becomes of the data at the end.", None),
    "grantee": (maybe(str), "With whom, where that is settled.", None),
}, nothing("The same for everybody.")))  # fmt: skip


def _preview(info: strawberry.Info, terms: Any = UNSET, agreement: Any = UNSET, locale: Any = UNSET) -> Any:
    context = context_of(info)
    if bool(terms) == bool(agreement):
        raise ApiError(Code.BAD_REQUEST, "Say which terms, or which agreement: one of the two.")
    if agreement:
        found = preview_of_agreement(context.workspace, context.actor, *_version(context, agreement))
    else:
        found = preview_agreement(context.workspace, context.actor, terms_of(context, terms))
    language = context.say(locale)
    shared = [
        SharedRows(
            kind=each.kind,
            label=each.label.say(language),
            rows=each.rows,
            before=each.before,
            hidden=[label.say(language) for label in each.hidden],
        )
        for each in found.shared
    ]
    sentences = [each.say(language) for each in found.sentences]
    return AgreementPreview(sentences=sentences, shared=shared, names_shown=found.named, firms=found.firms)


def _presets(info: strawberry.Info, locale: Any = UNSET) -> Any:
    language = context_of(info).say(locale)
    return [
        AgreementPreset(
            name=PRESET_NAMES(each.name),
            label=each.label.say(language),
            text=each.text.say(language),
            aspects=[CODE_OF[aspect] for aspect in each.aspects],
            purposes=list(each.purposes),
            mode=each.mode,
            at_end=each.at_end,
            grantee=each.grantee,
        )
        for each in PRESETS.values()
    ]


_preview.__annotations__ |= {
    "terms": argument(maybe(TermsInput), "The terms."),
    "agreement": argument(maybe(str), "A version that there is, by its id or key, in place of terms."),
    "locale": LOCALE,
    "return": AgreementPreview,
}
_presets.__annotations__ |= {"locale": LOCALE, "return": several(AgreementPreset)}

QUERIES: dict[str, Any] = {
    "agreement_preview": strawberry.field(
        resolver=_preview,
        description="What terms would mean: after this, who sees what. Nothing is changed.",
        metadata={"needs": Capability.READ, "cost": 100},
        directives=[OWN],
    ),
    "agreement_presets": strawberry.field(
        resolver=_presets,
        description="The ready-made agreements, from the least shared to the most.",
        metadata={"needs": Capability.READ},
        directives=[nothing("The same for everybody.")],
    ),
}
