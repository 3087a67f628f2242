import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from pipeline.reports.drawing.curve_panel import Line, curve_panel, frame
from pipeline.reports.drawing.palette import DARK, LIGHT
from pipeline.reports.drawing.scale import Scale, tick_label
from pipeline.reports.drawing.svg import Drawing, png, sheet


def drawing():
    made = Drawing(100, 50)
    made.line((0, 0), (100, 0), "grey")
    made.box((10, 10), (20, 20), "blue", 0.5)
    made.text((10, 40), "a < b & c", "orange", bold=True)
    return made


def test_an_inline_figure_has_no_colours_of_its_own():
    element = drawing().inline('who "&" what')
    ElementTree.fromstring(element)
    assert 'aria-label="who &quot;&amp;&quot; what"' in element
    assert "a &lt; b &amp; c" in element
    assert re.search(r"#[0-9a-f]{3}|rgb|http", element) is None
    assert 'class="f-orange"' in element


def test_a_file_carries_its_colours():
    document = drawing().document()
    root = ElementTree.fromstring(document)
    assert (root.get("width"), root.get("height")) == ("124", "74")
    assert f".f-blue{{fill:{LIGHT['blue']}}}" in document
    assert "var(" not in document


def test_a_picture_shows_what_is_drawn():
    picture = Image.open(io.BytesIO(png(drawing()))).convert("RGB")
    assert picture.size == (248, 148)
    assert picture.getpixel((2, 2)) == (255, 255, 255)
    half_blue = tuple(round((255 + int(LIGHT["blue"][at : at + 2], 16)) / 2) for at in (1, 3, 5))
    assert picture.getpixel((64, 64)) == pytest.approx(half_blue, abs=2)
    below = picture.crop((44, 80, 200, 110))  # the words
    assert min(below.convert("L").tobytes()) < 130


def test_a_sheet_holds_every_panel_in_rows():
    whole = sheet([drawing() for _ in range(5)], 3)
    assert (whole.width, whole.height) == (300, 100)
    assert whole.document().count("a &lt; b") == 5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("role", ["ink", "grey", "blue", "orange"])
def test_words_of_every_colour_can_be_read(theme, ground, role):
    lighter, darker = sorted((luminance(theme[role]), luminance(theme[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2.2, AA


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("low", "high", "most", "whole", "labels"),
    [
        (0, 1, 5, False, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-0.05, 0.05, 4, False, ["−0.050", "−0.025", "0.000", "0.025", "0.050"]),
        (1, 20, 6, True, ["5", "10", "15", "20"]),
        (1, 2, 6, True, ["1", "2"]),
        (0.98, 2.2, 4, False, ["1.0", "1.5", "2.0"]),
        (0.41, 1.49, 4, False, ["0.50", "0.75", "1.00", "1.25"]),
    ],
)
def test_ticks_are_round_numbers(low, high, most, whole, labels):
    ticks = Scale(low, high, 0, 100).ticks(most, whole)
    assert [tick_label(tick, ticks) for tick in ticks] == labels


def test_a_scale_may_rise_upwards():
    scale = Scale(0, 10, 200, 100)
    assert (scale(0), scale(5), scale(10)) == (200, 150, 100)


def test_an_exploding_or_lost_curve_stays_within_its_panel():
    lines = [Line("train", "blue", [1.0, 0.5]), Line("validation", "orange", [1.0, float("nan")])]
    others = [[Line("train", "blue", [1.0, 1e9])]]
    within = frame([*([lines] * 5), *others], ["x"])
    assert within.high < 10
    text = curve_panel("x", lines, within).document()
    assert "nan" not in text
    ElementTree.fromstring(text)


@pytest.mark.parametrize("reach", [0.013, 0.5, 1, 1.3, 2.7, 10, 77])
def test_an_axis_has_at_least_three_ticks(reach):
    for low in (-3.3, 0, 0.07, 41.9):
        for most in (4, 6):
            assert len(Scale(low, low + reach, 0, 100).ticks(most)) >= 3, (low, most)


def test_the_epochs_of_a_short_run_have_three_ticks():
    lines = [Line("train", "blue", [1.0])]
    words = curve_panel("x", lines, frame([lines], ["x"])).document()
    assert [f">{epoch}</text>" in words for epoch in (1, 2, 3)] == [True] * 3


def test_every_character_can_be_drawn():
    """XML forbids control characters, lone surrogates and non-characters."""
    made = Drawing(100, 50)
    made.text((0, 10), "".join(map(chr, [*range(0x3000), *range(0xD700, 0xE100)])))
    made.text((0, 20), "bad\x00\x1b[31m\ufffe\uffff 😀")
    document = made.document().encode()
    root = ElementTree.fromstring(document)
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words[1] == "bad␀␛[31m\ufffd\ufffd 😀"
    assert made.inline("a\x00b").count("a␀b") == 1


@pytest.mark.parametrize("values", [[0.6666667, 0.66666666], [0.66662, 0.66631]])
def test_labels_of_an_axis_are_few_letters_and_fit_beside_it(values):
    lines = [Line("train", "blue", values)]
    shown = curve_panel("Accuracy", lines, frame([lines], ["Accuracy"])).inline("")
    axis = re.findall(r'<text [^>]*text-anchor="end" font-size="([\d.]+)">([^<]*)<', shown)
    assert len(axis) >= 3
    for size, label in axis:
        assert len(label) * 0.6 * float(size) <= 38.1, (label, size)
    assert len({label for _, label in axis}) == len(axis)
