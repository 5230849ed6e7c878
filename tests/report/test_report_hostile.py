"""No text of data or model becomes markup on the page, whatever field it stands in."""

import json

import pytest
from hostile_html import MATHML, PAYLOADS, Elements
from report_sets import of_every_stage
from typer.testing import CliRunner

from pr1.cli import app

ALLOWED = MATHML | set(
    "html head meta title style body header main footer p h1 h2 h3 h4 dl div dt dd table thead "
    "tbody tr th td svg path rect section article figure figcaption img ol ul li span details "
    "summary pre code".split()
)
ATTRIBUTES = set(
    "lang charset name content http-equiv class role aria-label aria-hidden focusable tabindex "
    "scope viewbox preserveaspectratio d width height rx src alt type display data-latex".split()
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The pages of a set without a payload, by stage."""
    folder = tmp_path_factory.mktemp("plain")
    return {out.name: Elements(page(out)) for out in of_every_stage(folder, "plain")}


def page(out):
    run = CliRunner().invoke(app, ["report", str(out)])
    assert run.exit_code == 0, run.output
    return (out / "report.html").read_text()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_every_field_stays_text(payload, plain, tmp_path):
    for out in of_every_stage(tmp_path, payload):
        found = Elements(page(out))
        assert found.tags <= ALLOWED
        # MathML has attributes of its own; a handler is none of them.
        assert not [name for name in found.attributes if name.startswith("on")]
        assert all(one.startswith("data:image/webp;base64,") for one in found.addresses)
        assert not found.styles
        assert found.tags - MATHML == plain[out.name].tags - MATHML
        if not found.tags & MATHML:
            assert found.attributes <= ATTRIBUTES
            assert " ".join(payload.replace("\0", "\ufffd").split()) in " ".join(
                found.words.replace("\0", "\ufffd").split()
            )


def test_a_manifest_is_not_trusted_either(tmp_path):
    payload = PAYLOADS[0]
    out = of_every_stage(tmp_path, "plain")[2]
    manifest = json.loads((out / "manifest.json").read_text())
    for key in ("command", "started_at", "identity_hash"):
        manifest[key] = payload
    manifest["versions"] = {payload: payload, "pr1": payload}
    manifest["config"]["model"] = {"name": payload}
    manifest["history"][0]["command"] = payload
    (out / "manifest.json").write_text(json.dumps(manifest))
    found = Elements(page(out))
    assert "script" not in found.tags
    assert payload in found.words
