"""Settings from the environment: what must not stand on a command line, and what differs from machine to machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")
"""Where containers are given their secrets: a file for each, named like the variable, in small letters."""


class Settings(BaseSettings):
    """Each is the variable CHAINGRAPH_<NAME>, a line of a file `.env`, or a file `chaingraph_<name>` of `SECRETS`."""

    model_config = SettingsConfigDict(
        env_prefix="CHAINGRAPH_",
        env_file=".env",
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        extra="ignore",
        frozen=True,
    )

    neo4j_user: str = Field("neo4j", description="User of the Neo4j server.")
    neo4j_password: SecretStr | None = Field(None, description="The user's password.")
    neo4j_token: SecretStr | None = Field(None, description="Bearer token of a single sign-on, instead of a password.")
    cache: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path("chaingraph", appauthor=False),
        description="Folder for what can be made anew: snapshots of graphs that are kept on a server.",
    )


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
