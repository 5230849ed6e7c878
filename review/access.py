"""Who may talk to the review server, and what a browser may do with its pages.

The page shows private data and writes decisions, so: it listens on loopback unless told otherwise;
there, only a loopback name in `Host` is answered, which a page that rebinds its name cannot give;
elsewhere, a token is asked for once and kept in a cookie; a change must come from the page itself.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "pr1_review"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Access:
    """What a request needs to be answered.

    Attributes:
        token: to be given as `?token=` on the first request; None on loopback, where none is asked.
    """

    def __init__(self, host: str) -> None:
        self._is_loopback = is_loopback(host)
        self.token = None if self._is_loopback else secrets.token_urlsafe(24)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers, refuses, or changes the token for a cookie; adds the headers to each answer."""
        try:
            response = await self._answer(request, handler)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        response.headers.update(HEADERS)
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._is_loopback and not is_loopback(_name_of(f"//{request.host}")):
            raise web.HTTPForbidden(text="This page answers to localhost only.")
        if self.token is not None and not self._is_known(request):
            return self._welcome(request)
        if request.method == "POST":
            self._check_origin(request)
        return await handler(request)

    def _is_known(self, request: web.Request) -> bool:
        return self._fits(request.cookies.get(COOKIE, ""))

    def _welcome(self, request: web.Request) -> web.StreamResponse:
        if request.method != "GET" or not self._fits(request.query.get("token", "")):
            raise web.HTTPForbidden(
                text="Open the address that pr1 review printed, with its token."
            )
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(COOKIE, self.token or "", httponly=True, samesite="Strict", path="/")
        return response

    def _fits(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), (self.token or "").encode())

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin", "")
        if request.content_type != "application/json" or urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="A decision must come from the page itself.")


def _name_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
