"""Calls of the command line in process, each on the test's own store."""

from dataclasses import dataclass, field

from click.testing import CliRunner, Result

from server.cli import main


@dataclass(frozen=True)
class Call:
    """`call("load", "file.csv")` runs `chaingraph load file.csv`; the environment says English and which store."""

    store: str
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str) -> Result:
        """What came of it."""
        environment = {
            "CHAINGRAPH_STORE": self.store, "LC_ALL": "", "LC_MESSAGES": "", "LANG": "en_GB.UTF-8", **self.environment,
        }  # fmt: skip
        result = CliRunner().invoke(main, list(words), env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result
