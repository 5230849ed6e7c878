"""Texts that become script, markup or requests where a page forgets to escape them."""

from __future__ import annotations

from html.parser import HTMLParser

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1) //",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext></mtext><img src=x onerror=alert(1)></math>",
    '<a href="javascript:alert(1)">x</a>',
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=http://127.0.0.1:9/evil>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<style>@import 'http://127.0.0.1:9/evil';</style>",
    "<link rel=stylesheet href=http://127.0.0.1:9/evil>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "<base href=http://127.0.0.1:9/>",
    "<form action=http://127.0.0.1:9/><button>x",
    '" onmouseover="alert(1)" x="',
    "' onmouseover='alert(1)' x='",
    "`onmouseover=alert(1)`",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "</textarea></title></style></noscript></template><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}${7*7}#{7*7}",
    r"$\text{<script>alert(1)</script>}$",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\style{background:url(http://127.0.0.1:9/)}{x}$",
    r"\boxed{\text{<img src=x onerror=alert(1)>}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\u202e<script>alert(1)</script>",
    "<ｓcript>alert(1)</ｓcript>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "[x](javascript:alert(1)) ![x](http://127.0.0.1:9/evil)",
]
MATHML = frozenset(
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover "
    "mtable mtr mtd mstyle mpadded mphantom menclose mmultiscripts mprescripts none".split()
)
_WITH_ADDRESS = {"href", "src", "action", "formaction", "data", "srcdoc", "poster", "xlink:href"}


class Elements(HTMLParser):
    """What a page consists of.

    Attributes:
        tags: the names of its elements.
        attributes: the names of their attributes.
        addresses: every address that an attribute holds.
        styles: every `style` attribute's text.
        words: its text.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()
        self.styles: set[str] = set()
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in _WITH_ADDRESS:
                self.addresses.add(value or "")
            if name == "style":
                self.styles.add(value or "")

    def handle_data(self, data: str) -> None:
        self.words += data
