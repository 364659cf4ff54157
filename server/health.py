"""`python -m server.health [URL]`: whether a server answers, for a container's health check; no proxy is asked.

Ends with status 0 when it does, else with 1 and a word on standard error.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

LIVE = "http://127.0.0.1:8000/health"
SECONDS = 4.0
"""How long an answer may take."""


def trouble(url: str = LIVE, seconds: float = SECONDS) -> str | None:
    """What is the matter with the server at a URL; None when it answers that it is well."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", parts.path)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"{url}: {type(error).__name__}: {error}"
    finally:
        connection.close()
    return None if status == 200 else f"{url}: {status}"


if __name__ == "__main__":
    sys.exit(trouble(sys.argv[1] if len(sys.argv) > 1 else LIVE))
