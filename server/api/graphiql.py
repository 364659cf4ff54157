"""GraphiQL from our own files, so that it works without a network; until they are there, a page that says how."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).parent.parent / "graphiql"
FILES = {
    name: FOLDER / path
    for name, path in {
        "graphiql.min.js": "node_modules/graphiql/graphiql.min.js",
        "graphiql.min.css": "node_modules/graphiql/graphiql.min.css",
        "react.production.min.js": "node_modules/react/umd/react.production.min.js",
        "react-dom.production.min.js": "node_modules/react-dom/umd/react-dom.production.min.js",
        "start.js": "start.js",
        "start.css": "start.css",
    }.items()
}
"""What the page loads, and nothing else in the folder."""

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def page(_request: Request) -> Response:
    """The page for a browser at /graphql."""
    ready = all(path.exists() for path in FILES.values())
    text = (FOLDER / ("index.html" if ready else "missing.html")).read_text(encoding="utf-8")
    return HTMLResponse(text, headers={"content-security-policy": POLICY})


def asset(request: Request) -> Response:
    """One of the files that the page loads."""
    path = FILES.get(request.path_params["name"])
    if path is None or not path.exists():
        return PlainTextResponse("Not found", 404)
    return FileResponse(path, headers={"cache-control": "max-age=3600", "x-content-type-options": "nosniff"})


routes = [Route("/graphql/assets/{name}", asset)]
