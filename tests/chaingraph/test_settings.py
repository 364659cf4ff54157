"""Settings: where they come from, which goes before which, and what is said of one that cannot be used."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import ChaingraphError
from chaingraph.settings import PREFIX, Settings, settings

SESAME = "open-sesame"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No variable of ours, an empty current folder, and nothing remembered."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    yield
    settings.cache_clear()


def secrets(tmp_path: Path, **contents: str) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, content in contents.items():
        (folder / f"chaingraph_{name}").write_text(content, encoding="utf-8")
    return folder


def password(chosen: Settings) -> str | None:
    return None if chosen.neo4j_password is None else chosen.neo4j_password.get_secret_value()


def test_the_environment_goes_before_the_file_and_the_file_before_the_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = secrets(tmp_path, neo4j_password="of the secret\n", neo4j_user="secret")
    assert password(Settings(_secrets_dir=kept)) == "of the secret"
    (tmp_path / ".env").write_text(
        "CHAINGRAPH_NEO4J_PASSWORD=of the file\nCHAINGRAPH_IMAGE=of compose alone\n", encoding="utf-8"
    )
    assert password(Settings(_secrets_dir=kept)) == "of the file"
    monkeypatch.setenv("CHAINGRAPH_NEO4J_PASSWORD", "of the environment")
    chosen = Settings(_secrets_dir=kept)
    assert password(chosen) == "of the environment"
    assert chosen.neo4j_user == "secret"


def test_nothing_is_like_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAINGRAPH_NEO4J_PASSWORD", "")
    monkeypatch.setenv("CHAINGRAPH_CACHE", "")
    assert Settings(_secrets_dir=secrets(tmp_path, neo4j_auth="", neo4j_token="\n")) == Settings()
    assert password(Settings()) is None
    assert Settings().cache.name == "chaingraph"


def test_user_and_password_may_come_in_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = Settings(_secrets_dir=secrets(tmp_path, neo4j_auth=f"reader/{SESAME}/2\n"))
    assert (both.neo4j_user, password(both)) == ("reader", f"{SESAME}/2")
    monkeypatch.setenv("CHAINGRAPH_NEO4J_AUTH", f"reader/{SESAME}")
    monkeypatch.setenv("CHAINGRAPH_NEO4J_USER", "writer")
    with pytest.raises(ChaingraphError, match="not of the user") as caught:
        settings()
    assert SESAME not in caught.value.say("zh")
    monkeypatch.setenv("CHAINGRAPH_NEO4J_PASSWORD", "of the writer")
    assert (settings().neo4j_user, password(settings())) == ("writer", "of the writer")


def test_names_of_hosts_stand_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINGRAPH_HOSTS", "localhost, chaingraph.example,")
    assert settings().hosts == ("localhost", "chaingraph.example")
    assert settings() is settings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NEO4J_AUTH", SESAME, "CHAINGRAPH_NEO4J_AUTH must be user/password"),
        ("NEO4J_AUTH", f"/{SESAME}", "CHAINGRAPH_NEO4J_AUTH must be user/password"),
        ("NEO4J_AUTH", f"{SESAME}/", "CHAINGRAPH_NEO4J_AUTH must be user/password"),
    ],
)
def test_a_bad_value_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, said: str
) -> None:
    (tmp_path / ".env").write_text(f"CHAINGRAPH_{name}={value}\n", encoding="utf-8")
    with pytest.raises(ChaingraphError) as caught:
        settings()
    assert caught.value.code == "settings.invalid"
    assert said in caught.value.say("en")
    assert said in caught.value.say("zh")
    assert value not in f"{caught.value.say('en')} {caught.value.say('zh')} {caught.value!r}"


def test_a_file_in_another_encoding_is_said(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("CHAINGRAPH_NEO4J_PASSWORD=芝麻开门".encode("gb18030"))
    with pytest.raises(ChaingraphError) as caught:
        settings()
    assert caught.value.code == "settings.file"


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINGRAPH_NEO4J_AUTH", f"neo4j/{SESAME}")
    monkeypatch.setenv("CHAINGRAPH_NEO4J_TOKEN", SESAME)
    shown = f"{settings()!r} {settings()} {settings().model_dump()} {settings().model_dump_json()}"
    assert SESAME not in shown
    assert shown.count("**********") >= 3
