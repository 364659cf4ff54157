"""What the desk says no to, and why."""

from __future__ import annotations

from chaingraph.errors import ChaingraphError, Conflict, NotFound
from ingest.desk.drafts import Draft
from schema.text import Text

FAILED = (
    "upload.failed",
    "程序出错，没有收下；原因已写入服务器日志。请重新上传，或联系管理员。",
    "Something went wrong here and nothing was taken. The server's log says more: upload it again, or ask for help.",
)
"""The problem of a draft that an error of ours has stopped."""
EXPIRED = (
    "upload.expired",
    "太久没有确认，文件已删除。请重新上传。",
    "It was not confirmed for too long; its files are deleted. Upload it again.",
)
LOST = (
    "upload.files_gone",
    "文件已不在，没有收下。请重新上传。",
    "Its files are gone and nothing was taken. Upload it again.",
)


def state(draft: Draft) -> Conflict:
    """Nothing of the kind can be done with an upload that has come so far."""
    label = draft.state.text
    return Conflict(
        "upload.state",
        Text(f"上传 {draft.id} 的状态是“{label.zh}”。", f"Upload {draft.id} is {label.en.lower()}."),
        Text("请刷新后再试。", "Look at it again."),
    )


def unknown(number: str) -> NotFound:
    """There is no such upload, as far as the asker may know."""
    return NotFound(
        "upload.unknown",
        Text(f"没有上传 {number}。", f"There is no upload {number}."),
        Text("请查看上传列表。", "Look at the list of uploads."),
    )


def no_file(draft: Draft, index: int) -> NotFound:
    """The upload has fewer files."""
    return NotFound(
        "upload.no_file",
        Text(f"上传 {draft.id} 没有第 {index + 1} 个文件。", f"Upload {draft.id} has no file {index + 1}."),
        Text("请查看上传的文件列表。", "Look at its list of files."),
    )


def too_many() -> ChaingraphError:
    """More uploads, or files of one, than anybody has open at once."""
    return ChaingraphError(
        "upload.too_many",
        Text("未完成的上传或文件太多。", "There are too many unfinished uploads, or too many files."),
        Text("请先确认或撤回已有的上传。", "Confirm or withdraw some first."),
    )


def changed() -> Conflict:
    """What was seen is not what would be taken."""
    return Conflict(
        "upload.changed",
        Text("预览之后情况有变。", "Things have changed since the preview."),
        Text("请再看一次预览并确认。", "Look at the preview again and confirm it."),
    )


def not_ready() -> Conflict:
    """There is nothing to take yet."""
    return Conflict(
        "upload.not_ready",
        Text(
            "还不能确认：没有可收下的内容，或有问题未回答。",
            "It cannot be confirmed: nothing would be taken, or a question is open.",
        ),
        Text("请回答预览中的问题，或更正文件。", "Answer what the preview asks, or correct the files."),
    )


def incomplete(name: str, there: int, size: int | None) -> Conflict:
    """Bytes of a file are still missing."""
    zh, en = ("", "") if size is None else (f"（共 {size} 字节）", f" of {size}")
    return Conflict(
        "upload.incomplete",
        Text(f"{name} 只收到 {there} 字节{zh}。", f"Of {name} there are {there} bytes{en}."),
        Text("请从已收到处继续发送。", "Go on from what there is."),
    )


def files_gone(draft: Draft) -> Conflict:
    """The files are not kept any more."""
    return Conflict(
        "upload.files_gone",
        Text(f"上传 {draft.id} 的文件已不再保留。", f"The files of upload {draft.id} are not kept any more."),
        Text("请重新上传。", "Upload them again."),
    )


def offset(there: int, given: int) -> Conflict:
    """Bytes do not continue what there is."""
    return Conflict(
        "upload.offset",
        Text(f"已收到 {there} 字节，而不是 {given}。", f"There are {there} bytes already, not {given}."),
        Text("请从已收到处继续发送。", "Go on from what there is."),
    )


def too_large(most: int) -> ChaingraphError:
    """No file may be as large."""
    return ChaingraphError(
        "upload.too_large",
        Text(f"文件超过 {most >> 20} MiB。", f"The file is larger than {most >> 20} MiB."),
        Text("请拆分后上传。", "Split it."),
    )


def longer(size: int) -> ChaingraphError:
    """More bytes come than were announced."""
    return ChaingraphError(
        "upload.longer",
        Text(f"文件比声明的 {size} 字节长。", f"The file is longer than the {size} bytes that were announced."),
        Text("请撤回后重新上传。", "Withdraw it and upload it again."),
    )


def quota(most: int) -> ChaingraphError:
    """An organisation's files take too much room."""
    return ChaingraphError(
        "upload.quota",
        Text(f"未完成的上传合计超过 {most >> 20} MiB。", f"Unfinished uploads take more than {most >> 20} MiB."),
        Text("请先确认或撤回已有的上传。", "Confirm or withdraw some first."),
    )
