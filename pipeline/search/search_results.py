"""The results of a search: its trials with their runs, best first, and Optuna's figures."""

import csv
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial, TrialState

from pipeline.search.optuna_study import finished_trials
from pipeline.search.space import Dimension
from pipeline.search.trials import NAME, REASON, RUN
from pipeline.settings.schema import Search
from pipeline.tracking import names
from pipeline.tracking.queries import RunResult
from pipeline.tracking.tracked_run import TrackedRun

_ORDER = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class TrialResult:
    """One finished trial."""

    number: int  # Optuna's number of the trial
    name: str  # the values that were drawn
    state: TrialState  # COMPLETE, PRUNED or FAIL
    value: float | None  # value of the metric; None unless complete
    params: Mapping[str, object]  # Optuna's value of each key
    reason: str  # why it was pruned or failed
    epoch: int | None  # last epoch of a pruned trial; None if unknown
    run_id: str | None  # id of its run; None if it never had one
    run: RunResult | None  # the result of that run, if known


def trial_results(
    study: optuna.Study, search: Search, results: Sequence[RunResult]
) -> list[TrialResult]:
    """Return every finished trial: complete ones best first, then pruned, then failed ones."""
    by_id = {result.run_id: result for result in results}
    sign = -1 if search.direction == "maximize" else 1
    found = [_trial_result(trial, by_id) for trial in finished_trials(study)]
    return sorted(found, key=lambda one: (_ORDER.index(one.state), sign * (one.value or 0.0)))


def _trial_result(trial: FrozenTrial, results: Mapping[str, RunResult]) -> TrialResult:
    run_id = trial.user_attrs.get(RUN)
    complete = trial.state is TrialState.COMPLETE
    return TrialResult(
        number=trial.number,
        name=trial.user_attrs.get(NAME) or " ".join(f"{k}={v}" for k, v in trial.params.items()),
        state=trial.state,
        value=trial.value if complete else None,
        params=trial.params,
        reason=trial.user_attrs.get(REASON, ""),
        epoch=trial.last_step,
        run_id=run_id,
        run=results.get(run_id or ""),
    )


def log_search(
    run: TrackedRun,
    study: optuna.Study,
    search: Search,
    space: Sequence[Dimension],
    trials: Sequence[TrialResult],
) -> None:
    """Log the trials as CSV, and their history and importances as PNG, to the search's run."""
    with run.artifact_folder(names.SEARCH_RESULTS) as folder:
        _write_csv(folder / "trials.csv", search, space, trials)
        for name, figure in _figures(study, search).items():
            figure.savefig(folder / f"{name}.png", dpi=120, bbox_inches="tight")


def _write_csv(
    file: Path, search: Search, space: Sequence[Dimension], trials: Sequence[TrialResult]
) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        table = csv.writer(opened, lineterminator="\n")
        keys = [one.key for one in space]
        table.writerow(["trial", "state", search.metric, *keys, "run_id", "reason"])
        for one in trials:
            values = [d.text(one.params[d.key]) if d.key in one.params else "" for d in space]
            value = "" if one.value is None else one.value
            table.writerow(
                [one.number, one.state.name, value, *values, one.run_id or "", one.reason]
            )


def _figures(study: optuna.Study, search: Search) -> dict[str, Figure]:
    """Return Optuna's figures, as far as the number of trials allows."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from optuna.visualization import matplotlib as plots

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    figures = {}
    with pyplot.style.context("default"), warnings.catch_warnings():
        # Optuna warns that plotting is experimental, and about few trials.
        warnings.simplefilter("ignore")
        if complete:
            axes = plots.plot_optimization_history(study, target_name=search.metric)
            figures["optimization_history"] = _finished(axes, "Best and every complete trial")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len({one.value for one in complete}) > 1:
            axes = plots.plot_param_importances(study, target_name=search.metric)
            axes.legend().remove()
            figures["param_importances"] = _finished(axes, f"What mattered for {search.metric}")
        pyplot.close("all")
    return figures


def _finished(axes: Axes, title: str) -> Figure:
    axes.set_title("")  # Optuna sets it in the middle or at the left
    axes.set_title(title, loc="left")
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure
