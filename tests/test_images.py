from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pr1 import images
from pr1.images import (
    check_image,
    encode_for_model,
    load_image,
    perceptual_hash,
    read_image_file,
)
from pr1.schemas.errors import InputError
from pr1.schemas.records import ProblemImage


def encode(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def drawing(seed: int = 0, size: tuple[int, int] = (120, 90)) -> Image.Image:
    places = np.random.default_rng(seed)
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for _ in range(5):
        box = [int(v) for v in places.integers(0, min(size), 4)]
        pen.line(box, fill="black", width=3)
        pen.rectangle([box[0], box[1], box[0] + 15, box[1] + 15], fill="blue")
    return image


def claimed_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


PNG = encode(drawing())
UNREADABLE = {
    "empty": b"",
    "text": b"not a picture",
    "zeros": b"\0" * 4096,
    "png signature alone": PNG[:8],
    "cut in the header": PNG[:20],
    "tiff, not opened": encode(drawing(), "TIFF"),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("read", [check_image, load_image])
def test_what_is_no_picture_is_named_with_its_place(data: bytes, read: object) -> None:
    with pytest.raises(InputError, match=r"^rows\.jsonl:7: .*cannot be read") as caught:
        read(data, "rows.jsonl:7")  # type: ignore[operator]
    assert caught.value.code == "unreadable_image"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_file_cut_behind_its_header_fails_when_it_is_decoded(file_format: str) -> None:
    data = encode(drawing(), file_format)
    with pytest.raises(InputError) as caught:
        load_image(data[: len(data) // 2], "p")
    assert caught.value.code == "unreadable_image"


@pytest.mark.parametrize(
    ("width", "height"), [(60_000, 60_000), (14_000, 14_000), (10_001, 5_000), (2**30, 2)]
)
@pytest.mark.parametrize("read", [check_image, load_image])
def test_a_bomb_is_refused_by_its_header(width: int, height: int, read: object) -> None:
    with pytest.raises(InputError, match=r"^p: ") as caught:
        read(claimed_png(width, height), "p")  # type: ignore[operator]
    assert caught.value.code == "oversized_image"


def test_the_pixel_limit_includes_its_bound() -> None:
    assert check_image(PNG, "p", max_pixels=120 * 90) == (120, 90)
    with pytest.raises(InputError, match="120 x 90 pixels"):
        check_image(PNG, "p", max_pixels=120 * 90 - 1)


def test_a_huge_file_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", len(PNG) - 1)
    (tmp_path / "p.png").write_bytes(PNG)
    for refused in (lambda: check_image(PNG, "p"), lambda: read_image_file("p.png", tmp_path, "p")):
        with pytest.raises(InputError) as caught:
            refused()
        assert caught.value.code == "oversized_image"


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        (file_format, mode)
        for file_format in ("PNG", "JPEG", "WEBP", "GIF", "BMP")
        for mode in ("1", "L", "P", "RGB")
        if (file_format, mode) != ("JPEG", "P")  # it has no palettes
    ],
)
def test_every_format_and_mode_becomes_rgb(file_format: str, mode: str) -> None:
    image = drawing().convert(mode)
    loaded = load_image(encode(image, file_format), "p")
    assert (loaded.mode, loaded.size) == ("RGB", (120, 90))
    assert loaded.getpixel((119, 89))[0] > 200  # the ground is white


def transparent(mode: str) -> bytes:
    if mode == "P":
        image = Image.new("P", (4, 4), 0)
        image.putpalette([255, 0, 0, 0, 0, 255])
        image.putpixel((0, 0), 1)
        return encode(image, transparency=b"\x00\xff")
    if mode == "RGB":
        image = Image.new("RGB", (4, 4), (255, 0, 0))
        image.putpixel((0, 0), (0, 0, 255))
        return encode(image, transparency=(255, 0, 0))
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 255, 255))
    return encode(image.convert(mode))


@pytest.mark.parametrize("mode", ["RGBA", "P", "RGB", "LA"])
def test_what_is_transparent_is_seen_on_white(mode: str) -> None:
    data = transparent(mode)
    loaded = load_image(data, "p")
    assert loaded.getpixel((3, 3)) == (255, 255, 255)
    assert loaded.getpixel((0, 0))[0] < 60
    sent = encode_for_model(ProblemImage(bytes=data), 10_000)
    assert Image.open(io.BytesIO(sent.data)).mode == "RGB"


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    deep = Image.fromarray(np.array([[0, 32_768, 65_535]], dtype=np.uint16))
    loaded = load_image(encode(deep), "p")
    assert [loaded.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_cmyk_becomes_rgb() -> None:
    red = encode(Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK"), "JPEG")
    pixel = load_image(red, "p").getpixel((8, 8))
    assert pixel[0] > 200
    assert pixel[1] < 60


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright_as_pillow_turns_it(orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(drawing(), "JPEG", exif=exif, quality=95)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    loaded = load_image(data, "p")
    assert loaded.size == expected.size
    difference = np.abs(np.asarray(loaded, dtype=int) - np.asarray(expected, dtype=int))
    assert difference.max() == 0
    sent = encode_for_model(ProblemImage(bytes=data), 20_000)
    assert Image.open(io.BytesIO(sent.data)).size == expected.size
    assert (sent.data == data) == (orientation == 1)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"])
def test_damaged_metadata_does_not_cost_the_picture(exif: bytes) -> None:
    assert load_image(encode(drawing(), "JPEG", exif=exif), "p").size == (120, 90)


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    sent = encode_for_model(ProblemImage(bytes=data), 1_000)
    assert sent.media_type == "image/png"
    assert Image.open(io.BytesIO(sent.data)).getpixel((1, 1)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("file_format", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")],
)
def test_a_plain_picture_is_sent_byte_for_byte(file_format: str, media_type: str) -> None:
    data = encode(drawing(), file_format)
    assert encode_for_model(ProblemImage(bytes=data), 120 * 90) == (data, media_type)


@pytest.mark.parametrize(
    ("size", "limit"),
    [((120, 90), 5_000), ((5_000, 1), 100), ((1, 5_000), 100), ((7, 3), 1), ((3_000, 2), 50)],
)
def test_a_large_picture_is_scaled_under_the_limit(size: tuple[int, int], limit: int) -> None:
    sent = encode_for_model(ProblemImage(bytes=encode(drawing(size=size))), limit)
    width, height = Image.open(io.BytesIO(sent.data)).size
    assert 1 <= width * height <= limit
    assert (width >= height) == (size[0] >= size[1])


def test_scaling_keeps_the_proportions() -> None:
    sent = encode_for_model(ProblemImage(bytes=encode(drawing(size=(1_200, 900)))), 10_000)
    assert Image.open(io.BytesIO(sent.data)).size == (115, 86)


@pytest.mark.parametrize(
    "path_text",
    [
        "../secret.png",
        "a/../../secret.png",
        "/etc/hostname",
        "link.png",
        "linked/secret.png",
        "a\0.png",
        "a.png\0../../secret.png",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, path_text: str) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "linked").symlink_to(tmp_path)
    with pytest.raises(InputError, match=r"^rows\.jsonl:3: ") as caught:
        read_image_file(path_text, folder, "rows.jsonl:3")
    assert caught.value.code == "image_outside_folder"
    assert "\0" not in str(caught.value)


@pytest.mark.parametrize(
    "path_text", ["", ".", "none.png", "sub", "loop", "x" * 5_000, "\ud800.png"]
)
def test_a_path_without_a_file_is_not_found(tmp_path: Path, path_text: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError) as caught:
        read_image_file(path_text, tmp_path, "p")
    assert caught.value.code == "image_not_found"
    assert len(str(caught.value)) < 600


def test_a_file_inside_is_read_with_its_name_only(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "图.png").write_bytes(PNG)
    (tmp_path / "inside.png").symlink_to(tmp_path / "sub" / "图.png")
    expected = ProblemImage(bytes=PNG, path="图.png")
    assert read_image_file("sub/图.png", tmp_path, "p") == expected
    assert read_image_file(str(tmp_path / "sub" / "图.png"), tmp_path, "p") == expected
    assert read_image_file("inside.png", tmp_path, "p").bytes == PNG


def distance(first: int, second: int) -> int:
    return (first ^ second).bit_count()


@pytest.mark.parametrize("seed", range(6))
def test_copies_have_near_hashes_and_others_far_ones(seed: int) -> None:
    original = drawing(seed, (400, 300))
    hashed = perceptual_hash(original)
    jpeg = load_image(encode(original, "JPEG", quality=60), "p")
    smaller = original.resize((200, 150), Image.Resampling.LANCZOS)
    assert distance(hashed, perceptual_hash(jpeg)) <= 4
    assert distance(hashed, perceptual_hash(smaller)) <= 4
    assert distance(hashed, perceptual_hash(drawing(seed + 100, (400, 300)))) > 8


def test_a_picture_of_one_colour_hashes_to_zero() -> None:
    assert {perceptual_hash(Image.new("RGB", (50, 40), c)) for c in ("white", "red", "#123")} == {0}


@given(st.binary(max_size=300), st.integers(0, len(PNG)), st.integers(0, len(PNG)))
def test_hostile_bytes_end_in_a_picture_or_an_input_error(
    junk: bytes, start: int, stop: int
) -> None:
    with contextlib.suppress(InputError):
        loaded = load_image(PNG[:start] + junk + PNG[stop:], "p", max_pixels=1_000_000)
        assert loaded.mode == "RGB"
