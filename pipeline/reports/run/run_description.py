"""A run's description in MLflow, as Markdown."""

import re

from pipeline.reports.run.stored_run import StoredRun
from pipeline.settings.scores import SCORES
from pipeline.tracking import names

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|])")


def run_description(stored: StoredRun) -> str:
    """Return settings, scores, parity and a link to the run's page as Markdown."""
    parts = [_what(stored), _parity(stored), _scores(stored), _links(stored)]
    return "\n\n".join(part for part in parts if part)


def _what(stored: StoredRun) -> str:
    params = stored.run.data.params
    model, dataset = (params.get(key, "?") for key in ("model", "dataset"))
    by_hand = " ".join(stored.overrides).replace("`", "'")  # a backtick would end the code
    trained = f"**{_plain(model)}** on **{_plain(dataset)}**"
    return f"{trained}, set by hand: `{by_hand}`" if by_hand else f"{trained}, all defaults"


def _scores(stored: StoredRun) -> str:
    metrics = stored.run.data.metrics
    rows = [
        f"| {SCORES[score].title} | {metrics[validation]:.4f} | {metrics[test]:.4f} |"
        for score in (*stored.task.tiles, "loss")
        for validation, test in ((names.VALIDATION + score, names.TEST + score),)
        if {validation, test} <= metrics.keys()
    ]
    if not rows:
        return ""
    return "\n".join(["| score | validation | test |", "|---|---|---|", *rows])


def _parity(stored: StoredRun) -> str:
    tags, metrics = stored.run.data.tags, stored.run.data.metrics
    tag = tags.get(names.PARITY)
    if tag is None:
        return "Not checked against NumPy."
    told = f"Parity with NumPy: **{_plain(tag)}**"
    if names.PARITY_MAX_ABS_DIFF in metrics:
        told += f", {stored.task.values} differ by at most {metrics[names.PARITY_MAX_ABS_DIFF]:.1e}"
    reason = tags.get(names.PARITY_REASON)
    return f"{told}. {_plain(reason)}" if reason else f"{told}."


def _links(stored: StoredRun) -> str:
    info = stored.run.info
    place = f"#/experiments/{info.experiment_id}/runs/{info.run_id}/artifacts"
    pages = (("Report", names.PAGE), ("log", names.LOG), ("weights", names.WEIGHTS))
    return " · ".join(
        f"[{title}]({place}/{path}?workflowType=machine_learning)" for title, path in pages
    )


def _plain(text: str) -> str:
    """Escape text so that Markdown shows it literally."""
    return _SPECIAL.sub(r"\\\1", text)
