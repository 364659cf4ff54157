"""`uploadProgress`: how far an upload is, as it is taken, until it is loaded, refused or withdrawn."""

from __future__ import annotations

import asyncio
import types as pytypes
from collections.abc import AsyncGenerator
from typing import Any

import strawberry
from anyio import to_thread

from chaingraph import Capability, ChaingraphError, NotFound, StoreError
from ingest import Draft, Step
from schema.vocabularies import DraftState
from server.api.aspects import OWN
from server.api.context import Context, context_of
from server.api.drafts import UploadProgress, draft_of, progress_of
from server.api.errors import ApiError, Code
from server.api.inputs import argument

EVERY = 0.25
"""Seconds between looks at the upload."""
ENDS = {DraftState.LOADED, DraftState.REFUSED, DraftState.WITHDRAWN}


async def _upload_progress(info: Any, code: str) -> AsyncGenerator[Any, None]:
    context = context_of(info)
    told = None
    while True:
        found = await to_thread.run_sync(_look, context, code)
        seen = (found[0].state, found[0].problem, found[1])
        if seen != told:
            told = seen
            draft, step = found
            yield progress_of(draft, step)
            if draft.state in ENDS:
                return
        await asyncio.sleep(EVERY)


def _look(context: Context, code: str) -> tuple[Draft, Step | None]:
    """The upload, and how far the work on it is. Raises ApiError where there is none, StoreError."""
    try:
        shown = draft_of(context, code)
        return shown.draft, shown.desk.progress(context.actor, code)
    except StoreError:
        raise
    except ChaingraphError as error:
        found = Code.NOT_FOUND if isinstance(error, NotFound) else Code.REFUSED
        raise ApiError(found, error.say(context.locale), reason=error.code) from None


_upload_progress.__annotations__ |= {
    "info": strawberry.Info,
    "code": argument(str, "Which upload, by its number."),
    "return": pytypes.GenericAlias(AsyncGenerator, (UploadProgress, None)),
}

SUBSCRIPTIONS: dict[str, Any] = {
    "upload_progress": strawberry.subscription(
        resolver=_upload_progress,
        description="How far an upload is, as it changes; ends when it is loaded, refused or withdrawn. 上传进度。",
        metadata={"needs": Capability.UPLOAD, "cost": 100},
        directives=[OWN],
    ),
}
