from itertools import combinations, product
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from pipeline.baselines import Baseline
from pipeline.study import figures
from pipeline.study.analysis import analyse
from pipeline.study.bands import band
from pipeline.study.gathering import Gathered
from pipeline.study.reference import References
from pipeline.study.svg import inline_svg, png, svg
from tests.pipeline.study.conftest import study_run

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
        only = {"degenerate": "predicts only negative"} if number == 0 else {}
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


def baselines(of, majority=0.18, tfidf=0.72):
    names = [variant.name for variant in of.variants]
    return References(
        {name: Baseline("majority class", majority, majority) for name in names},
        {name: Baseline("TF-IDF", tfidf, tfidf) for name in names},
    )


def every_figure(of):
    drawn = {
        "forest": figures.forest(of, baselines(of)),
        "differences": figures.differences(of.comparisons),
        "loss": figures.curves(figures.panels(of), "loss", "Loss"),
        "accuracy": figures.curves(figures.panels(of), "accuracy", "Accuracy"),
    }
    if of.effects:
        effects = [comparison for effect in of.effects for comparison in effect.comparisons]
        drawn["effects"] = figures.differences(effects)
        drawn["heat_map"] = figures.heat_map(of)
    return drawn


def boxes(figure):
    """Places of all words, in pixels, after the layout has settled."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    for axes in figure.axes:  # tick labels beyond the ends of an axis exist, but are not drawn
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            low, high = sorted(limits)
            for tick in axis.get_major_ticks():
                hidden = not low <= tick.get_loc() <= high or not tick.label1.get_visible()
                if (hidden or not axes.get_visible()) and tick.label1 in texts:
                    texts.remove(tick.label1)
    texts = [text for text in texts if text.axes is None or text.axes.get_visible()]
    return [(text.get_text(), text.get_window_extent()) for text in texts]


@pytest.mark.parametrize("values", [ONE, TWO, FOUR, FIVE], ids=["one", "two", "four", "five"])
def test_no_words_overlap_or_leave_the_picture(values):
    for name, figure in every_figure(analysis(values)).items():
        placed = boxes(figure)
        width, height = figure.canvas.get_width_height()
        for text, box in placed:
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
            assert inside, (name, text, box)
        for (first, one), (second, other) in combinations(placed, 2):
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert not (across > 1 and down > 1), (name, first, second)


@pytest.mark.parametrize(("majority", "tfidf"), [(0.45, 0.46), (0.1, 0.5), (0.5, 0.95)])
def test_baselines_are_named_wherever_they_lie(majority, tfidf):
    of = analysis(ONE)
    placed = dict(boxes(figures.forest(of, baselines(of, majority, tfidf))))
    (first,) = [box for text, box in placed.items() if "majority class" in text]
    (second,) = [box for text, box in placed.items() if "TF-IDF" in text]
    assert not first.overlaps(second)


def test_every_variant_has_a_row_with_its_numbers():
    of = analysis(ONE)
    words = [text for text, _ in boxes(figures.forest(of, baselines(of)))]
    for variant in of.variants:
        found = variant.estimate(figures.MAIN)
        assert variant.name in words
        (told,) = [word for word in words if word.startswith(f"{found.mean:.3f}")]
        assert f"[{found.interval.low:.3f}, {found.interval.high:.3f}]" in told
    assert any("5 of 5 one class only" in word for word in words)


def test_of_very_many_settings_the_best_and_worst_are_drawn():
    of = analysis(FIVE)
    shown = figures.panels(of)
    assert shown == [*of.ranked[:6], *of.ranked[-6:]]


def test_panels_share_their_axes():
    figure = figures.curves(analysis(ONE).variants, "loss", "Loss")
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_a_band_reaches_from_the_least_to_the_greatest_seed():
    found = band([(1.0, 2.0, 3.0), (3.0, 4.0)])
    assert found.mean.tolist() == [2.0, 3.0, 3.0]
    assert found.low.tolist() == [1.0, 2.0, 3.0]
    assert found.high.tolist() == [3.0, 4.0, 3.0]
    assert band([()]).epochs.tolist() == []


def test_an_inline_figure_takes_the_pages_colours():
    figure = figures.forest(analysis(ONE), References({}, {}))
    text = inline_svg(figure, "forest", "who & what")
    ElementTree.fromstring(text)
    assert 'aria-label="who &amp; what"' in text
    assert "var(--ink)" in text
    assert "var(--blue)" in text
    assert figures.INK not in text
    assert "#ffffff" not in text  # no ground of its own
    assert "http://" not in text.replace("http://www.w3.org/", "")


def test_files_are_the_same_when_drawn_again():
    drawn = [figures.forest(analysis(ONE), References({}, {})) for _ in range(2)]
    assert svg(drawn[0], "forest") == svg(drawn[1], "forest")
    assert png(drawn[0]) == png(drawn[1])
