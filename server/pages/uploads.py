"""Uploads for people: drop files, look, decide, confirm, get a receipt; every step is a form and a call on the desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from analytics import run
from analytics.data_quality import reminders
from chaingraph import PRESETS, Actor, ChaingraphError, View, preset_terms, propose_agreement
from ingest import Draft, Preview, marked_workbook
from ingest.headers import sheet_kinds
from ingest.reading import SUFFIXES, Unreadable
from ingest.report import finding
from ingest.templates import filled
from schema.entities.agreement import EVERYONE
from schema.text import Text
from schema.vocabularies import DraftState
from server.api.aspects import RESTS_ON
from server.api.errors import ApiError, Code
from server.api.touched import Touched
from server.pages.deciding import decisions_of, suggested
from server.pages.joining import form
from server.pages.visits import Visit

if TYPE_CHECKING:
    from server.pages.site import Site

PIECE = 4 << 20
MARKS = 10_000
"""Of one code in one column of one file so many rows are marked."""
FINDINGS = 200
"""So many findings are shown; all of them are in the marked workbook."""
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OFFERED = (
    "life_record", "inspection", "shipment", "lot", "lot_genealogy", "part", "contains", "supplies", "part_alias",
    "declared_value", "reliability_test", "fmea_item", "problem", "change_notice", "approval",
)  # fmt: skip
"""Templates that are offered, what suppliers send most first."""
_NO_FILE = Text("请先选择文件。", "Choose a file first.")
_NO_PARTNER = Text("请选择与谁共享。", "Choose with whom to share.")
_CHANGED = Text("选择已记下，请核对后再确认。", "Your choices were noted: look again, then confirm.")


class Uploads:
    """Pages on uploads; who has no session is sent to log in."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def every(self, visit: Visit) -> Response:
        """The drop, the templates, and one's uploads."""
        actor = self._site.uploader(visit)
        return self._login(visit) if actor is None else await self._listed(visit, actor, None)

    async def _listed(self, visit: Visit, actor: Actor, problem: str | None, status: int = 200) -> Response:
        drafts = await self._site.run(self._site.desk.drafts, actor)
        kinds = {kind.name: kind for kind in sheet_kinds()}
        return self._site.shown(
            visit, "list", status, drafts=drafts, kinds=[kinds[name] for name in OFFERED], actor=actor, problem=problem,
            formats=" ".join(sorted(SUFFIXES)), accept=",".join(sorted(SUFFIXES)), states=DraftState,
        )  # fmt: skip

    async def create(self, visit: Visit) -> Response:
        """Take the files in; what they are is shown next."""
        actor = self._site.uploader(visit)
        if actor is None:
            return self._login(visit)
        limits = self._site.limits
        given = await form(visit, limits.upload, limits.upload_seconds, files=50)
        files = [each for each in given.getlist("files") if isinstance(each, UploadFile) and each.filename]
        if not files:
            await given.close()
            return await self._listed(visit, actor, visit.say(_NO_FILE), 422)
        try:
            draft = await self._site.run(self._brought, actor, files)
        except ChaingraphError as error:
            return await self._listed(visit, actor, error.say(visit.locale), 409)
        finally:
            await given.close()
        return self._site.to(visit, f"/upload/{draft.id}")

    def _brought(self, actor: Actor, files: list[UploadFile]) -> Draft:
        """The files at the desk. An empty field is no file; a file of no bytes is one."""
        desk = self._site.desk
        draft = desk.create(actor, [(file.filename or "", file.size) for file in files])
        for index, file in enumerate(files):
            if file.size:
                desk.append(actor, draft.id, index, 0, _pieces(file))
        return draft

    async def show(self, visit: Visit) -> Response:
        """An upload as it stands: to be looked at, on its way, or its receipt."""
        actor = self._site.uploader(visit)
        if actor is None:
            return self._login(visit)
        number = visit.request.path_params["number"]
        draft = await self._site.run(self._site.desk.get, actor, number)
        if draft.state is DraftState.OPEN:
            return await self._looked(visit, actor, draft, None)
        step = await self._site.run(self._site.desk.progress, actor, number)
        return self._site.shown(visit, "receipt", draft=draft, step=step, states=DraftState, kinds=_labels())

    async def _looked(self, visit: Visit, actor: Actor, draft: Draft, note: str | None, status: int = 200) -> Response:
        preview: Preview = await self._site.run(self._site.desk.preview, actor, draft.id)
        problem = None if draft.problem is None else draft.problem[1 if visit.locale == "zh" else 2]
        ranked = preview.report.gathered()
        partners = await self._site.run(self._partners, actor)
        return self._site.shown(
            visit, "preview", status, draft=draft, preview=preview, kinds=sheet_kinds(), note=note, problem=problem,
            findings=ranked[:FINDINGS], more=max(0, len(ranked) - FINDINGS), presets=PRESETS, partners=partners,
            counts=preview.report.count_rows(), total=preview.report.total, labels=_labels(), bad=_bad_cells(preview),
            suggested=any(suggested(sheet) for sheet in preview.sheets), asked=_asked(preview),
        )  # fmt: skip

    async def act(self, visit: Visit) -> Response:
        """What somebody pressed: note the choices, accept what is suggested, confirm, or take it back."""
        actor = self._site.uploader(visit)
        if actor is None:
            return self._login(visit)
        given = await form(visit)
        number, what = visit.request.path_params["number"], str(given.get("do", "note"))
        desk = self._site.desk
        if what == "withdraw":
            await self._site.run(desk.withdraw, actor, number)
            return self._site.to(visit, "/upload")
        draft = await self._site.run(desk.get, actor, number)
        if draft.state is not DraftState.OPEN:
            return self._site.to(visit, f"/upload/{number}")
        preview: Preview = await self._site.run(desk.preview, actor, number)
        chosen = decisions_of(preview, given, accept=what == "suggest")
        if chosen:
            draft = await self._site.run(desk.decide, actor, number, chosen)
        if what != "confirm":
            return self._site.to(visit, f"/upload/{number}")
        if chosen:  # what was shown is no longer what would be taken
            return await self._looked(visit, actor, draft, visit.say(_CHANGED))
        return await self._confirmed(visit, actor, draft, given)

    async def _confirmed(self, visit: Visit, actor: Actor, draft: Draft, given: FormData) -> Response:
        name, whom = str(given.get("preset", "")), str(given.get("whom", "")).strip()
        terms = None
        if name in PRESETS and PRESETS[name].aspects:
            if not whom and PRESETS[name].grantee != EVERYONE:
                return await self._looked(visit, actor, draft, visit.say(_NO_PARTNER), 422)
            try:
                terms = preset_terms(name, actor.organisation, whom or None, dt.datetime.now(dt.UTC))
                if terms is not None:
                    await self._site.run(partial(propose_agreement, self._site.workspace, actor, terms, dry_run=True))
            except ChaingraphError as error:
                return await self._looked(visit, actor, draft, error.say(visit.locale), 422)
        try:
            await self._site.run(self._site.desk.confirm, actor, draft.id, str(given.get("seen", "")))
        except ChaingraphError as error:
            return await self._looked(visit, actor, draft, error.say(visit.locale), 409)
        if terms is not None:
            await self._site.run(propose_agreement, self._site.workspace, actor, terms)
        return self._site.to(visit, f"/upload/{draft.id}")

    async def marked(self, visit: Visit) -> Response:
        """A file back, with its bad cells coloured and commented."""
        actor = self._site.uploader(visit)
        if actor is None:
            return self._login(visit)
        number, index = visit.request.path_params["number"], visit.request.path_params["index"]

        def make() -> tuple[str, bytes]:
            draft = self._site.desk.get(actor, number)
            path = self._site.desk.path(actor, number, index)
            looked = self._site.desk.look(actor, number, shown=MARKS)
            return draft.files[index].name, marked_workbook(looked, path, visit.locale)

        try:
            name, content = await self._site.run(make)
        except Unreadable as error:
            said = finding(error.code, **error.values)
            raise ApiError(Code.REFUSED, f"{said.text.say(visit.locale)} {said.remedy.say(visit.locale)}") from None
        stem = name.rpartition(".")[0] or name
        return _workbook(f"{stem}.xlsx", content)

    async def template(self, visit: Visit) -> Response:
        """An empty sheet, filled with the supplier's own parts."""
        actor = self._site.uploader(visit)
        if actor is None:
            return self._login(visit)
        name = visit.request.path_params["kind"]
        view = await self._site.run(self._site.workspace.view, actor.organisation, actor.purpose)
        return _workbook(f"{name}.xlsx", await self._site.run(filled, view, name, visit.locale))

    async def quality(self, visit: Visit) -> Response:
        """How good one's data are, what is due, and what others state otherwise."""
        actor = self._site.uploader(visit)
        if actor is None:
            return self._login(visit)

        def look() -> Any:
            view: View = self._site.workspace.view(actor.organisation, actor.purpose)
            asked = {"organisation": actor.organisation} if actor.organisation else {}
            if actor.organisation and not view.has("organisation", pl.Series([actor.organisation])).all():
                return None
            found = run("data_quality", view, asked)
            self._noted(actor, Touched(view=view, analyses={("data_quality", RESTS_ON["data_quality"])}))
            return found

        found = await self._site.run(look)
        today = dt.datetime.now(dt.UTC).date()
        due = [] if found is None else reminders(found, today)
        return self._site.shown(visit, "quality", found=found, due=due, today=today)

    def _partners(self, actor: Actor) -> list[tuple[str, str]]:
        """With whom one can share: the consortia that one sees, and organisations that have a name."""
        view = self._site.workspace.view(actor.organisation, actor.purpose)
        self._noted(actor, Touched(view=view, whole={"consortium", "organisation"}))
        consortia = [(key, key) for key in view.table("consortium")["key"].to_list()]
        firms = view.table("organisation").filter(~pl.col("stub") & (pl.col("key") != actor.organisation))
        named = firms.select("key", name=pl.coalesce("name_zh", "name_en", "key")).head(500)
        return [*consortia, *((key, f"{key} {name}") for key, name in named.iter_rows())]

    def _noted(self, actor: Actor, read: Touched) -> None:
        """What is read of others' data is in the audit log before the page leaves, as an answer of the API's is."""
        self._site.workspace.record(read.entries(self._site.workspace, actor))

    def _login(self, visit: Visit) -> Response:
        return self._site.to(visit, "/auth/login")


def _pieces(file: UploadFile) -> Iterator[bytes]:
    file.file.seek(0)
    while piece := file.file.read(PIECE):
        yield piece


def _labels() -> dict[str, Text]:
    return {kind.name: kind.text for kind in sheet_kinds()}


def _asked(preview: Preview) -> int:
    """How many questions are open."""
    return sum(q.required and q.answer is None for sheet in preview.sheets for q in sheet.questions)


def _bad_cells(preview: Preview) -> dict[tuple[str, int, str], str]:
    """The cells at fault that a finding names, by sheet, row and heading: how grave."""
    found: dict[tuple[str, int, str], str] = {}
    for each in preview.report.findings:
        if each.file is not None and each.row is not None and each.column is not None and each.severity != "info":
            found.setdefault((each.file, each.row, each.column), each.severity)
    return found


def _workbook(name: str, content: bytes) -> Response:
    disposition = f"attachment; filename=\"upload.xlsx\"; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=WORKBOOK, headers={"content-disposition": disposition})
