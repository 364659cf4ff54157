"""Settings from the environment: what must not stand on a command line, and what differs from machine to machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from chaingraph.errors import ChaingraphError
from schema.text import Text

PREFIX = "CHAINGRAPH_"
SECRETS = Path("/run/secrets")
"""Where containers are given their secrets: a file for each, named like the variable, in small letters."""


class Settings(BaseSettings):
    """Each is the variable CHAINGRAPH_<NAME>, a line of a file `.env`, or a file `chaingraph_<name>` of `SECRETS`.

    The first of these that is there and not empty is taken.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    neo4j_user: str = Field("neo4j", description="User of the Neo4j server.")
    neo4j_password: SecretStr | None = Field(None, description="The user's password.")
    neo4j_auth: SecretStr | None = Field(
        None,
        description="User and password in one, `user/password`, as the Neo4j image is given them, instead of both.",
    )
    neo4j_token: SecretStr | None = Field(None, description="Bearer token of a single sign-on, instead of a password.")
    cache: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path("chaingraph", appauthor=False),
        description="Folder for what can be made anew: snapshots of graphs that are kept on a server.",
    )
    spool: Path | None = Field(
        None,
        description="Folder for the files of uploads until they are taken, private to this user. Where none is named "
        "they wait beside a store that is a file, else below `CHAINGRAPH_CACHE`.",
    )
    draft_hours: int = Field(
        72, ge=1, le=8760, description="Hours after which the files of an upload that nobody goes on with are deleted."
    )
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names, with commas between, under which `serve` is reached; requests under others are refused. "
        "Where there are none, any name will do, except over the loopback.",
    )

    mode: Literal["development", "production"] | None = Field(
        None,
        description="`production` or `development`. Where nothing is said, `serve` is for development on the "
        "loopback, and for production elsewhere.",
    )
    introspection: bool | None = Field(
        None,
        description="Whether the schema can be asked for, with GraphiQL in a browser; refused in production. Where "
        "nothing is said, on the loopback in development only.",
    )
    oidc_issuer: str | None = Field(
        None, description="Address of the OpenID Connect provider, as its tokens have it in `iss`."
    )
    oidc_audience: str | None = Field(None, description="What its access tokens have in `aud` when they are for us.")
    oidc_leeway: int = Field(30, ge=0, le=300, description="Seconds by which its clock may differ from ours.")
    oidc_organisation_claim: str = Field(
        "organisation",
        min_length=1,
        description="Claim that says the organisation; dots lead into objects, as in `firm.code`.",
    )
    oidc_role_claim: str = Field(
        "role",
        min_length=1,
        description="Claim that says the role; dots lead into objects, as in `realm_access.roles`.",
    )
    oidc_organisations: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Which value of that claim is which organisation, `value=code`, with commas between. Where there "
        "are none, the claim has the code.",
    )
    oidc_roles: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Which value of that claim is which role, `value=role`, with commas between; others are none. "
        "Where there are none, the claim has the role.",
    )
    session_minutes: int = Field(
        60, ge=1, le=1440, description="Minutes after which whoever has a local account logs in anew."
    )

    @model_validator(mode="before")
    @classmethod
    def _parts(cls, given: dict[str, Any]) -> dict[str, Any]:
        """What is empty left out, what has commas as a tuple or mapping, user and password out of `neo4j_auth`."""
        given = {name: value for name, value in given.items() if value != ""}
        if isinstance(given.get("hosts"), str):
            names = (each.strip() for each in given["hosts"].split(","))
            given = {**given, "hosts": tuple(each for each in names if each)}
        for name in ("oidc_organisations", "oidc_roles"):
            if isinstance(given.get(name), str):
                pairs = [each.partition("=") for each in given[name].split(",") if each.strip()]
                if not all(value.strip() and code.strip() for value, _, code in pairs):
                    raise ValueError(f"{PREFIX}{name.upper()} must be value=code, with commas between")
                given = {**given, name: {value.strip(): code.strip() for value, _, code in pairs}}
        if given.get("oidc_issuer") and not given.get("oidc_audience"):
            raise ValueError("CHAINGRAPH_OIDC_ISSUER needs CHAINGRAPH_OIDC_AUDIENCE")
        auth = given.get("neo4j_auth")
        if isinstance(auth, SecretStr):
            auth = auth.get_secret_value()
        if isinstance(auth, str) and "neo4j_password" not in given:
            user, slash, password = auth.partition("/")
            if not (user and slash and password):
                raise ValueError("CHAINGRAPH_NEO4J_AUTH must be user/password")
            if given.get("neo4j_user", user) != user:
                raise ValueError("CHAINGRAPH_NEO4J_AUTH is not of the user in CHAINGRAPH_NEO4J_USER")
            given = {**given, "neo4j_user": user, "neo4j_password": password}
        return given


@cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises ChaingraphError (`settings.invalid`, `settings.file`) for a value or a file that cannot be used; a value is
    never shown, as it may be a secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise _invalid("; ".join(_said(each["loc"], each["msg"]) for each in error.errors())) from None
    except SettingsError as error:
        raise _invalid(str(error)) from None
    except UnicodeDecodeError:
        raise ChaingraphError(
            "settings.file",
            Text("文件 .env 或某个密钥文件不是 UTF-8 编码。", "The file .env or one of the secrets is not UTF-8."),
            Text("请将其另存为 UTF-8。", "Save it as UTF-8."),
        ) from None


def _said(place: tuple[int | str, ...], message: str) -> str:
    name = f"{PREFIX}{str(place[0]).upper()}: " if place else ""
    return name + message.removeprefix("Value error, ")


def _invalid(what: str) -> ChaingraphError:
    return ChaingraphError(
        "settings.invalid",
        Text(f"设置有误：{what}。", f"A setting cannot be used: {what}."),
        Text(
            "请检查环境变量、当前文件夹中的 .env 以及 /run/secrets 中的文件。",
            "Look at the environment's variables, the file .env of the current folder, and the files of /run/secrets.",
        ),
    )
