"""The review page's server: a page, its rows and pictures, and one address that takes decisions."""

from __future__ import annotations

import asyncio
import errno
import io
from collections.abc import Callable
from importlib import resources
from typing import Any, NoReturn

from aiohttp import web
from PIL import Image
from pydantic import Field, ValidationError

from ..pages.environment import style
from ..schemas.errors import NotSaved, UsageError
from ..schemas.records import Record
from .access import Access
from .decisions import Choice
from .page import ReviewPages
from .queue import Filters

MOST_BYTES = 100_000
PICTURE_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
STATIC = {"review.js": "text/javascript", "review.css": "text/css"}


class Request(Record):
    """What the script sends.

    Attributes:
        number: the row's place, which says which row is meant: an id may hold characters that no
            page can hand back.
        seen: the version of the row that the person looked at.
        choice: a `Choice` without its `row`.
    """

    number: int = Field(ge=0)
    seen: int = Field(ge=0)
    choice: dict[str, Any]


async def serve(
    pages: ReviewPages, host: str, port: int, on_open: Callable[[str], None]
) -> NoReturn:
    """Serve the page until it is cancelled.

    Args:
        pages: what to serve.
        host: the address to listen on.
        port: 0 takes a free one.
        on_open: called with the page's address, its token included, once it answers.

    Raises:
        UsageError: the address cannot be listened on.
    """
    access = Access(host)
    runner = web.AppRunner(review_app(pages, access), access_log=None)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        name = f"[{host}]" if ":" in host else host
        token = f"?token={access.token}" if access.token else ""
        on_open(f"http://{name}:{runner.addresses[0][1]}/{token}")
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port, shutdown_timeout=1).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} of {host} is in use, perhaps by another `pr1 review`. "
                f"Give another: --port {port + 1}."
            ) from error
        raise UsageError(f"{host}:{port} cannot be listened on ({error.strerror}).") from error


def review_app(pages: ReviewPages, access: Access) -> web.Application:
    """The server's addresses; nothing of them is a path on the disk."""
    views = _Views(pages)
    app = web.Application(middlewares=[access.middleware], client_max_size=MOST_BYTES)
    app.add_routes(
        [
            web.get("/", views.page),
            web.get("/rows/{number:\\d{1,9}}", views.row),
            web.get("/pictures/{number:\\d{1,9}}/{index:\\d{1,4}}", views.picture),
            web.get("/style.css", views.style),
            web.get("/favicon.ico", views.icon),
            web.get("/{name:review\\.(?:js|css)}", views.static),
            web.post("/decisions", views.decide),
        ]
    )
    return app


class _Views:
    def __init__(self, pages: ReviewPages) -> None:
        self._pages = pages

    async def page(self, request: web.Request) -> web.Response:
        number = request.query.get("row", "")
        try:
            html = self._pages.page(_filters(request), int(number) if number.isdecimal() else None)
        except (IndexError, ValueError) as error:
            raise web.HTTPNotFound(text="There is no such row.") from error
        return web.Response(text=html, content_type="text/html")

    async def row(self, request: web.Request) -> web.Response:
        return self._shown(request, int(request.match_info["number"]))

    async def picture(self, request: web.Request) -> web.Response:
        number, index = (int(request.match_info[name]) for name in ("number", "index"))
        try:
            data = self._pages.rows.picture(number, index).bytes
        except IndexError as error:
            raise web.HTTPNotFound(text="There is no such picture.") from error
        # The type is what the bytes are, never what a file's name says: an SVG may hold a script.
        try:
            with Image.open(io.BytesIO(data), formats=tuple(PICTURE_TYPES)) as image:
                kind = PICTURE_TYPES[image.format or ""]
        except (OSError, KeyError, ValueError, Image.DecompressionBombError) as error:
            raise web.HTTPUnsupportedMediaType(text="This picture cannot be read.") from error
        return web.Response(body=data, content_type=kind)

    async def style(self, request: web.Request) -> web.Response:
        return web.Response(text=style(), content_type="text/css")

    async def icon(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        text = (resources.files(__package__) / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=STATIC[name])

    async def decide(self, request: web.Request) -> web.Response:
        try:
            asked = Request.model_validate_json(await request.read())
            row = self._pages.rows.ids[asked.number]
            choice = Choice.model_validate(asked.choice | {"row": row})
        except ValidationError as error:
            return _refused(400, error.errors()[0]["msg"])
        except IndexError:
            return _refused(404, "There is no such row.")
        if asked.seen != self._pages.log.version(row):
            message = "This row was changed in another window. Look again."
            return self._shown(request, asked.number, status=409, error=message)
        try:
            self._pages.decide(asked.number, choice)
        except UsageError as error:
            return _refused(400, str(error))
        except NotSaved as error:
            return _refused(507, str(error))
        return self._shown(request, asked.number)

    def _shown(
        self, request: web.Request, number: int, status: int = 200, **more: str
    ) -> web.Response:
        try:
            shown = self._pages.shown(_filters(request), number)
        except IndexError:
            return _refused(404, "There is no such row.")
        return web.json_response(shown._asdict() | more, status=status)


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


def _filters(request: web.Request) -> Filters:
    """The filters of the query string; one that means nothing is as good as none."""
    given: dict[str, Any] = {
        name: value
        for name, value in request.query.items()
        if name in Filters.model_fields and value
    }
    try:
        return Filters.model_validate(given)
    except ValidationError:
        return Filters()
