import io

import numpy as np
import pytest
from PIL import Image

from pipeline.data.user.image_files import decode
from pipeline.errors import DatasetError

GREY = np.arange(0, 240, 10, np.uint8).reshape(4, 6)
COLOUR = np.stack([GREY, GREY + 5, 250 - GREY], axis=-1)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(image, shape, kind="PNG", **options):
    return decode(encoded(image, kind, **options), "some.png", shape).pixels


def test_an_image_of_the_wanted_size_is_taken_as_it_is():
    assert (pixels(Image.fromarray(COLOUR), (4, 6, 3)) == COLOUR).all()
    assert (pixels(Image.fromarray(GREY), (4, 6, 1))[..., 0] == GREY).all()


def test_colour_becomes_grey_and_grey_becomes_colour():
    assert (pixels(Image.fromarray(GREY), (4, 6, 3)) == GREY[..., np.newaxis]).all()
    red = Image.new("RGB", (6, 4), (255, 0, 0))
    assert (pixels(red, (4, 6, 1)) == 76).all()  # 0.299 of 255


def test_other_sizes_are_stretched():
    halves = np.repeat(np.array([0, 200], np.uint8), 8)[np.newaxis].repeat(4, axis=0)  # 4x16
    shrunk = decode(encoded(Image.fromarray(halves)), "some.png", (2, 4, 1))
    assert shrunk.size == (4, 16)
    assert np.abs(shrunk.pixels[..., 0].astype(int) - [0, 10, 190, 200]).max() <= 12


def test_transparent_pixels_are_white():
    half = np.dstack([COLOUR, np.full((4, 6), 255, np.uint8)])
    half[:, 3:, 3] = 0
    seen = pixels(Image.fromarray(half), (4, 6, 3))
    assert (seen[:, :3] == COLOUR[:, :3]).all()
    assert (seen[:, 3:] == 255).all()
    palette = Image.fromarray(GREY).convert("P")
    assert pixels(palette, (4, 6, 1), transparency=palette.getpixel((0, 0)))[0, 0] == 255


def test_sixteen_bits_are_reduced_to_eight():
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    assert (pixels(deep, (4, 6, 1))[..., 0] == GREY).all()


def test_one_bit_becomes_black_and_white():
    assert set(pixels(Image.fromarray(GREY > 100), (4, 6, 1)).ravel()) == {0, 255}


def test_a_photograph_is_turned_upright():
    image = Image.fromarray(np.repeat(np.repeat(GREY, 16, 0), 16, 1))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn clockwise to see it upright
    upright = pixels(image, (6, 4, 1), "JPEG", quality=100, exif=exif)[..., 0]
    assert np.abs(upright.astype(int) - np.rot90(GREY, -1)).max() <= 12


def test_a_large_photograph_is_decoded_smaller_and_looks_the_same():
    image = Image.fromarray(COLOUR).resize((1200, 800), Image.Resampling.BICUBIC)
    whole = np.asarray(image.resize((24, 16), Image.Resampling.BICUBIC), int)
    assert np.abs(pixels(image, (16, 24, 3), "JPEG", quality=95) - whole).max() <= 6


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "some.png cannot be read: it is neither PNG nor JPEG."),
        (b"GIF89a nothing", "some.png cannot be read: it is neither PNG nor JPEG."),
        (encoded(Image.fromarray(GREY), "GIF"), "it is neither PNG nor JPEG."),
        (encoded(Image.effect_noise((64, 64), 90))[:900], "some.png cannot be read as an image:"),
        (encoded(Image.effect_noise((64, 64), 90), "JPEG")[:900], "some.png cannot be read as an"),
    ],
    ids=["empty", "other bytes", "GIF", "PNG cut short", "JPEG cut short"],
)
def test_a_damaged_file_is_one_sentence(content, told):
    with pytest.raises(DatasetError, match=told) as refusal:
        decode(content, "some.png", (4, 6, 3))
    assert "\n" not in str(refusal.value)


def test_no_mutation_of_a_file_raises_anything_else():
    files = [encoded(Image.fromarray(COLOUR), "PNG"), encoded(Image.fromarray(COLOUR), "JPEG")]
    random = np.random.default_rng(0)
    refused = 0
    for number in range(600):
        content = bytearray(files[number % 2])
        for place in random.integers(0, len(content), 3):
            content[place] = random.integers(0, 256)
        try:
            assert decode(bytes(content), "some.png", (4, 6, 3)).pixels.shape == (4, 6, 3)
        except DatasetError:
            refused += 1
    assert 0 < refused < 600


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded():
    beginning = encoded(Image.new("1", (13_000, 13_000)))[:100]  # the rest would be missed
    with pytest.raises(DatasetError, match="has 13,000 x 13,000 pixels: expected at most 40,000,0"):
        decode(beginning, "some.png", (4, 6, 3))


def test_a_photograph_of_many_pixels_is_decoded_at_reduced_size():
    photograph = encoded(Image.new("L", (9_000, 6_000)), "JPEG")
    assert decode(photograph, "some.jpg", (4, 6, 1)).size == (6_000, 9_000)
