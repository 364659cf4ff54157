"""`make bundle`: all that an installation without a network needs, of what is committed, in one archive under dist/.

It holds the pinned wheels and our own, the list of container images, compose.yaml, the documentation and an installer,
with checksums of everything. Wheels are for one system (this one, or PLATFORM) and for one or more versions of Python.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"
_GLIBC = ("2_28", "2_27", "2_24", "2_17")
PLATFORMS = {
    **{
        f"linux_{machine}": [*(f"manylinux_{glibc}_{machine}" for glibc in _GLIBC), f"manylinux2014_{machine}"]
        for machine in ("x86_64", "aarch64")
    },
    "win_amd64": ["win_amd64"],
    "win_arm64": ["win_arm64"],
    "macosx_arm64": ["macosx_14_0_arm64"],
    "macosx_x86_64": ["macosx_14_0_x86_64"],
}
"""Tags of wheels that run on a system: pip takes them as they are, and widens none of Linux's."""


def main(words: Sequence[str] | None = None) -> None:
    """Write the archive and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--platform", choices=PLATFORMS, default=here(), required=here() is None, help="the system to install on"
    )
    parser.add_argument(
        "--python", nargs="+", default=[f"3.{sys.version_info.minor}"], metavar="VERSION", help="such as 3.11 3.12"
    )
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder for the archive")
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        source = export(Path(folder) / "source")
        content = Path(folder) / f"chaingraph-{version(source)}-offline-{chosen.platform}"
        gather(source, content)
        download(source / "requirements" / "run.txt", content / "wheels", chosen.platform, chosen.python)
        finish(content, chosen.platform, chosen.python)
        archive = pack(content, chosen.dist, int(_git("log", "-1", "--format=%ct")))
    sys.stdout.write(f"{archive} ({archive.stat().st_size / 1e6:.0f} MB)\n")


def here() -> str | None:
    """The name of this system among PLATFORMS, None when it is none of them."""
    system, _, machine = sysconfig.get_platform().replace("-", "_").partition("_")
    name = f"{system}_{machine.split('_', 2)[-1] if system == 'macosx' else machine}"
    return name if name in PLATFORMS else None


def version(source: Path) -> str:
    """The version in pyproject.toml."""
    found: str = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return found


def images(compose: str) -> list[str]:
    """The images that compose.yaml starts where nobody names others."""
    return re.findall(r"^ +image: \$\{\w+:-(\S+)\}$", compose, re.MULTILINE)


def export(to: Path) -> Path:
    """What is committed, as files in a folder."""
    to.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(_git_bytes("archive", "--format=tar", "HEAD"))) as committed:
        committed.extractall(to, filter="data")
    return to


def gather(source: Path, content: Path) -> None:
    """Everything but the pinned wheels and the checksums: our own wheel, documents, compose.yaml, installers."""
    (content / "wheels").mkdir(parents=True)
    epoch = {**os.environ, "SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct")}
    own = ["wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(content / "wheels")]
    _pip(*own, str(source), env=epoch)
    shutil.copy(source / "requirements" / "run.txt", content / "requirements.txt")
    for name in ("LICENSE", "compose.yaml", "README.md", "README.zh-CN.md", "CHANGELOG.md"):
        shutil.copy(source / name, content)
    shutil.copytree(source / "docs", content / "docs")
    compose = (source / "compose.yaml").read_text(encoding="utf-8")
    _write(content / "images.txt", "".join(f"{image}\n" for image in images(compose)))
    for script in sorted((source / ".ci" / "offline").iterdir()):
        _write(content / script.name, script.read_text(encoding="utf-8"), "\r\n" if script.suffix == ".cmd" else "\n")
    (content / "install.sh").chmod(0o755)


def download(pins: Path, wheels: Path, platform: str, pythons: Sequence[str]) -> None:
    """The pinned wheels of a system, for each version of Python, by their hashes."""
    tags = [word for tag in PLATFORMS[platform] for word in ("--platform", tag)]
    for python in pythons:
        target = [*tags, "--python-version", python, "--implementation", "cp"]
        _pip("download", "--require-hashes", "--only-binary", ":all:", *target, "-d", str(wheels), "-r", str(pins))


def finish(content: Path, platform: str, pythons: Sequence[str]) -> None:
    """What the wheels are for, and checksums of everything."""
    _write(content / "platform.txt", f"{platform} {' '.join(pythons)}\n")
    files = sorted(path for path in content.rglob("*") if path.is_file())
    sums = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(content).as_posix()}" for path in files
    )
    _write(content / SUMS, "\n".join(sums) + "\n")


def pack(content: Path, dist: Path, at: int) -> Path:
    """The folder as an archive, the same bytes for the same content: a zip for Windows, else a compressed tar."""
    dist.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in content.rglob("*") if path.is_file())
    if content.name.partition("-offline-")[2].startswith("win"):
        archive = dist / f"{content.name}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in files:
                info = zipfile.ZipInfo(f"{content.name}/{path.relative_to(content).as_posix()}")
                info.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
                zipped.writestr(info, path.read_bytes())
        return archive
    archive = dist / f"{content.name}.tar.gz"
    with (
        archive.open("wb") as out,
        gzip.GzipFile("", "wb", 1, out, mtime=at) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        for path in files:
            entry = tarfile.TarInfo(f"{content.name}/{path.relative_to(content).as_posix()}")
            entry.size, entry.mtime, entry.mode = path.stat().st_size, at, path.stat().st_mode & 0o755
            with path.open("rb") as opened:
                tar.addfile(entry, opened)
    return archive


def _write(path: Path, text: str, newline: str = "\n") -> None:
    path.write_text(text, encoding="utf-8", newline=newline)


def _pip(*words: str, env: dict[str, str] | None = None) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", *words, *quiet], check=True, env=env, stdin=subprocess.DEVNULL)


def _git(*words: str) -> str:
    return _git_bytes(*words).decode().strip()


def _git_bytes(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
