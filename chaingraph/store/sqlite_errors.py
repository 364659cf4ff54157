"""What SQLite and the disk complain of, in words that say what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import apsw

from chaingraph.errors import Busy, StoreError
from schema.text import Text

_RETRY = Text("请稍后重试。", "Try again later.")


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of files into StoreError (or Busy), naming the file."""
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        busy = Text("存储正被其他进程写入。", "Somebody else is writing to the store.")
        raise Busy("store.busy", busy, _RETRY) from error
    except apsw.Error as error:
        raise _said(path, error) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _full(path) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise _read_only(path) from error
        raise StoreError(
            "store.path",
            Text(f"无法使用存储路径 {path}：{error.strerror}。", f"The path {path} cannot be used: {error.strerror}."),
            Text("请检查路径。", "Check the path."),
        ) from error


def _full(path: Path) -> StoreError:
    return StoreError(
        "store.full",
        Text(f"磁盘已满，{path} 未更改。", f"The disk is full; {path} is unchanged."),
        Text("请清理磁盘后重试。", "Free some space and try again."),
    )


def _read_only(path: Path) -> StoreError:
    return StoreError(
        "store.read_only",
        Text(f"无权写入 {path} 或其所在文件夹。", f"{path} or its folder cannot be written to."),
        Text("请检查权限，或换一个路径。", "Check the permissions, or choose another path."),
    )


def _said(path: Path, error: apsw.Error) -> StoreError:
    if isinstance(error, apsw.FullError):
        return _full(path)
    if isinstance(error, apsw.ReadOnlyError | apsw.PermissionsError | apsw.AuthError):
        return _read_only(path)
    if isinstance(error, apsw.NotADBError):
        return StoreError(
            "store.not_a_store",
            Text(f"{path} 不是 chaingraph 存储。", f"{path} is not a chaingraph store."),
            Text("请换一个路径。", "Choose another path."),
        )
    if isinstance(error, apsw.CantOpenError):
        return StoreError(
            "store.path",
            Text(f"无法打开 {path}。", f"{path} cannot be opened."),
            Text("请检查路径和权限。", "Check the path and the permissions."),
        )
    if isinstance(error, apsw.CorruptError | apsw.IOError):
        return StoreError(
            "store.damaged",
            Text(f"{path} 已损坏或磁盘故障：{error}。", f"{path} is damaged, or its disk is: {error}."),
            Text("请从备份恢复。", "Restore it from a backup."),
        )
    return StoreError("store.failed", Text(f"{path} 出错：{error}。", f"{path} failed: {error}."))
