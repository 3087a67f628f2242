from functools import cache
from itertools import combinations, product
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import ImageFont

from pipeline.reports.drawing.svg import SIZE, png
from pipeline.reports.study.curve_figures import band, curves, panels
from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.reference import References
from pipeline.reports.study.rendering import draw
from pipeline.reports.study.score_figures import forest
from pipeline.reports.study.setting_comparison import analyse
from pipeline.reports.study.study_run import main_measure
from pipeline.tasks.baselines import Baseline
from tests.support.study_runs import study_run

MARGIN = 12  # around a figure that is a file of its own
ONE = {"units": (32, 64, 128)}
TWO = {"bidirectional": (False, True), "mask": (False, True)}
FOUR = {"model": ("lstm", "rnn"), **TWO, "padding": ("post", "pre")}
FIVE = {
    "dropout": (0.0, 0.5),
    "l1": (0.0, 0.0001),
    "l2": (0.0, 0.001),
    "early_stopping": ("off", 3),
    "augment": (False, True),
}


def curve(draw, start, end, epochs=15):
    steps = np.linspace(0, 1, epochs)
    noise = draw.normal(0, 0.02, epochs)
    return tuple(float(x) for x in start + (end - start) * steps + noise)


def analysis(values, seeds=5, seed=0):
    draw = np.random.default_rng(seed)
    runs = []
    for number, choice in enumerate(product(*values.values())):
        level = draw.uniform(0.2, 0.8)
        degenerate = number == 0 and seeds > 1  # else its words are the widest, and hide others
        only = {"degenerate": "predicts only negative"} if degenerate else {}
        for one in range(seeds):
            score = float(np.clip(level + draw.normal(0, 0.03), 0, 1))
            curves = {
                "loss/train": curve(draw, 1.1, 0.1),
                "loss/validation": curve(draw, 1.1, 1.5 - level),
                "accuracy/train": curve(draw, 0.4, 0.98),
                "accuracy/validation": curve(draw, 0.4, score),
            }
            params = dict(zip(values, choice, strict=True))
            metrics = {"best/epoch": float(draw.integers(1, 15))}
            runs.append(
                study_run(score, seed=one, tags=only, curves=curves, metrics=metrics, **params)
            )
    return analyse(Gathered("study=x", "s", "0", None, tuple(values), tuple(runs)))


def baseline(name, score):
    return Baseline(name, {"f1_macro": score, "accuracy": score})


def baselines(of, majority=0.18, tfidf=0.72):
    settings = [variant.setting for variant in of.variants]
    return References(
        {one: baseline("majority class", majority) for one in settings},
        {one: baseline("TF-IDF", tfidf) for one in settings},
    )


def every_figure(of):
    return {name: drawn.whole for name, drawn in draw(of, baselines(of)).items()}


def boxes(drawing):
    """Places of all words in pixels, as wide as DejaVu Sans makes them."""
    found, texts = [], "{http://www.w3.org/2000/svg}text"

    def walk(element, shift):
        if "translate" in (moved := element.get("transform", "")):
            x, y = map(float, moved.removeprefix("translate(").removesuffix(")").split())
            shift = (shift[0] + x, shift[1] + y)
        if element.tag == texts:
            found.append((element.text, box_of(element, shift)))
        for child in element:
            walk(child, shift)

    walk(ElementTree.fromstring(drawing.document()), (0.0, 0.0))
    return found


def box_of(element, shift):
    size = float(element.get("font-size", SIZE))
    name = "DejaVuSans-Bold.ttf" if element.get("font-weight") else "DejaVuSans.ttf"
    width = letters(name, round(size)).getlength(element.text or "")
    x, y = float(element.get("x")) + shift[0], float(element.get("y")) + shift[1]
    left = x - width * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
    return left, y - 0.75 * size, left + width, y + 0.2 * size


@cache
def letters(name, size):
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf" / name), size)


@pytest.mark.parametrize("seeds", [1, 5])
@pytest.mark.parametrize("values", [{}, ONE, TWO, FOUR, FIVE], ids=str)
def test_no_words_overlap_or_leave_the_picture(values, seeds):
    for name, drawing in every_figure(analysis(values, seeds)).items():
        placed = boxes(drawing)
        far, low = drawing.width + MARGIN, drawing.height + MARGIN  # a page shows no margin
        for text, (left, top, right, bottom) in placed:
            inside = left >= MARGIN and top >= MARGIN and right <= far and bottom <= low
            assert inside, (name, text)
        for (first, one), (second, other) in combinations(placed, 2):
            across = min(one[2], other[2]) - max(one[0], other[0])
            down = min(one[3], other[3]) - max(one[1], other[1])
            assert not (across > 1 and down > 1), (name, first, second)


@pytest.mark.parametrize(("majority", "tfidf"), [(0.45, 0.46), (0.1, 0.5), (0.5, 0.95)])
def test_baselines_are_named_wherever_they_lie(majority, tfidf):
    of = analysis(ONE)
    placed = dict(boxes(forest(of, baselines(of, majority, tfidf))))
    (first,) = [box for text, box in placed.items() if "majority class" in text]
    (second,) = [box for text, box in placed.items() if "TF-IDF" in text]
    assert first[2] < second[0] or second[2] < first[0] or first[1] > second[3]


def test_every_variant_has_a_row_with_its_numbers():
    of = analysis(ONE)
    words = [text for text, _ in boxes(forest(of, baselines(of)))]
    for variant in of.variants:
        found = variant.estimate(main_measure("multiclass"))
        assert variant.setting.by_key["units"] in words
        (told,) = [word for word in words if word.startswith(f"{found.mean:.3f}")]
        assert f"[{found.interval.low:.3f}, {found.interval.high:.3f}]" in told
    assert any("5 of 5 nearly one class" in word for word in words)


def test_of_very_many_settings_the_best_and_worst_are_drawn():
    of = analysis(FIVE)
    assert panels(of) == [*of.ranked[:3], *of.ranked[-3:]]
    assert len(curves(of, "loss")) == 6
    assert boxes(curves(of, "loss")[-1])[0][0].startswith("No. 32: ")
    assert sum(len(drawn.inline) for drawn in draw(of, baselines(of)).values()) < 100_000


def test_panels_share_their_axes():
    def marks(drawing):
        return [words for words, _ in boxes(drawing) if words.replace(".", "").isdigit()]

    first, *others = curves(analysis(ONE), "loss")
    assert marks(first)
    assert all(marks(other) == marks(first) for other in others)


def test_a_band_reaches_from_the_least_to_the_greatest_seed():
    found = band([(1.0, 2.0, 3.0), (3.0, 4.0)])
    assert found.mean.tolist() == [2.0, 3.0, 3.0]
    assert found.low.tolist() == [1.0, 2.0, 3.0]
    assert found.high.tolist() == [3.0, 4.0, 3.0]
    assert band([()]).epochs.tolist() == []


def test_files_are_the_same_when_drawn_again():
    drawn = [forest(analysis(ONE), baselines(analysis(ONE))) for _ in range(2)]
    assert drawn[0].document() == drawn[1].document()
    assert png(drawn[0]) == png(drawn[1])
