"""Installs chaingraph from this folder, without a network: `python install.py [FOLDER]`, by default into ./chaingraph.

Checks every file against SHA256SUMS first. It needs Python with the module venv, of a version named in platform.txt,
and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> str | None:
    """Check, make the environment, install, and say what to do next; the reason where that cannot be."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    system, *pythons = (HERE / "platform.txt").read_text(encoding="utf-8").split()
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if running not in pythons:
        wanted = " or ".join(pythons)
        return f"This bundle is for {system} with Python {wanted}; this is Python {running}. 请使用 Python {wanted}。"
    changed = [name for name, digest in listed() if not same(HERE / name, digest)]
    if changed:
        return f"Not as it was packed, copy it again 文件与打包时不同，请重新拷贝: {', '.join(changed)}"
    into = Path(sys.argv[1] if len(sys.argv) > 1 else "chaingraph").absolute()
    say(f"Installing into {into} 正在安装")
    scripts = into / ("Scripts" if sys.platform == "win32" else "bin")
    offline = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline += ["--no-index", "--find-links", str(HERE / "wheels")]
    own = [str(wheel) for wheel in (HERE / "wheels").glob("chaingraph-*.whl")]
    for command in (
        [sys.executable, "-m", "venv", str(into)],
        [*offline, "--require-hashes", "--only-binary", ":all:", "-r", str(HERE / "requirements.txt")],
        [*offline, "--no-deps", *own],
    ):
        if subprocess.run(command, check=False).returncode:
            return f"This failed 失败: {' '.join(command)}"
    say(f"Installed. Try 已安装，可运行: {scripts / 'chaingraph'} demo")
    return None


def listed() -> list[tuple[str, str]]:
    """The files of the bundle with their digests."""
    lines = (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return [(name, digest) for digest, _, name in (line.partition("  ") for line in lines)]


def same(path: Path, digest: str) -> bool:
    """Whether a file is there with this digest."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def say(text: str) -> None:
    """A line for whoever installs."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
