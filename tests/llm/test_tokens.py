"""The estimate of a prompt's tokens."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pr1.llm.chat import ChatImage, ChatMessage, ChatRequest
from pr1.llm.tokens import TOKENS_PER_MESSAGE, estimated_tokens_in, text_tokens


def picture(width: int, height: int, form: str = "PNG") -> ChatImage:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, form)
    return ChatImage(buffer.getvalue(), f"image/{form.lower()}")


def showing(*parts: str | ChatImage) -> ChatMessage:
    return ChatMessage("user", parts)


def estimate(*messages: ChatMessage) -> int:
    return estimated_tokens_in(ChatRequest(messages, purpose="extract", max_tokens=100))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 35, 10),
        ("a" * 36, 11),
        ("图中有三个圆", 5),
        ("図はAB", 2),
        ("삼각형", 3),
        ("∠ABC = 90°", 4),
        ("𝑥", 1),
        ("\ud800", 1),
    ],
)
def test_tokens_of_a_text(text, tokens):
    assert text_tokens(text) == tokens


def test_a_request_is_its_messages_texts_and_pictures():
    shown = showing(picture(300, 250), picture(75, 10, "JPEG"), "图中有三个圆")
    texts = 10 + 6 / 3.5 + 6 * 2 * 0.2
    expected = 2 * TOKENS_PER_MESSAGE + texts + (300 * 250 + 75 * 10) / 750
    assert estimate(ChatMessage("system", ("a" * 35,)), shown) == pytest.approx(expected, abs=1)


def test_a_picture_counts_in_every_message_and_in_pixels_not_bytes():
    small, large = picture(30, 25), picture(1500, 1000, "WEBP")
    assert estimate(showing(small, large, large)) - estimate(showing(small)) == 4000


@pytest.mark.parametrize("data", [b"", b"<html>", b"\x89PNG\r\n\x1a\n"])
def test_a_picture_that_nobody_can_read_stops_nothing(data):
    assert estimate(showing(ChatImage(data, "image/png"))) > 1000


def test_an_empty_request_has_a_token():
    assert estimate() == 1


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(text, more):
    assert text_tokens(text) <= text_tokens(text + more)
    assert len(text) / 3.5 <= text_tokens(text) <= len(text.encode(errors="surrogatepass")) + 1
