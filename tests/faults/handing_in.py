"""What a client, and a watched folder, do with files: begin, or go on. In processes that are to be killed."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaingraph import Actor, Workspace, workspace
from ingest.desk import Desk
from ingest.desk.inbox import Handled, Inbox
from schema.vocabularies import DraftState

S1 = Actor("S1")
PIECE = 400
_CHANGES = ("fsync", "rename", "replace", "unlink", "mkdir", "rmdir")


def handed_in(desk: Desk, folder: Path) -> None:
    """All files of a folder as one upload, in pieces; confirmed as it is previewed, and taken."""
    paths = sorted(folder.glob("*.csv"))
    known = [draft for draft in desk.drafts(S1) if draft.state is not DraftState.WITHDRAWN]
    draft = known[0] if known else desk.create(S1, [(path.name, path.stat().st_size) for path in paths])
    if draft.state is DraftState.OPEN:
        for index, there in enumerate(desk.received(S1, draft.id)):
            content = paths[index].read_bytes()
            for at in range(there, len(content), PIECE):
                desk.append(S1, draft.id, index, at, [content[at : at + PIECE]])
        desk.confirm(S1, draft.id, desk.preview(S1, draft.id).digest)
    desk.work_all()


def emptied(desk: Desk, folder: Path) -> None:
    """All that was dropped into a folder that is watched."""
    inbox, handled = Inbox(desk, S1, folder), list[Handled]()
    inbox.look(handled.append)
    inbox.look(handled.append)


WAYS = {"desk": handed_in, "inbox": emptied}


def main(kind: str, url: str, spool: str, folder: str, point: str) -> None:
    """Do it, and die at the moment number `point`: every few SQL steps, and around every change on the disk."""
    import apsw

    vars(workspace)["COMMIT_ROWS"] = 60  # many commits of a small load
    moments = itertools.count(1)

    def moment(*_: object) -> bool:
        if next(moments) == int(point):
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            moment()
            result = call(*given, **named)
            moment()
            return result

        return run

    with Workspace.open(url) as opened:
        apsw.connection_hooks.append(lambda connection: connection.set_progress_handler(moment, 2000))
        for name in _CHANGES:
            setattr(os, name, watched(getattr(os, name)))
        WAYS[kind](Desk(opened, Path(spool)), Path(folder))
    sys.stdout.write(f"{next(moments) - 1}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
