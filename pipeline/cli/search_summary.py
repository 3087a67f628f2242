"""Prints a search before its first and after its last trial."""

import shlex
from collections import Counter
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState
from rich.table import Table

from pipeline.cli import cells
from pipeline.cli.console import console, plain, print_line, say
from pipeline.search.metric import compared, doubts
from pipeline.search.search_plan import SearchPlan
from pipeline.search.search_results import TrialResult
from pipeline.settings.schema import Search
from pipeline.sweep.naming import without_running
from pipeline.tracking.ranking import Criterion

_WORDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def show_search(
    plan: SearchPlan,
    done: Sequence[FrozenTrial],
    data: Sequence[str],
    places: Sequence[str],
    prunes: bool,
) -> None:
    """Print what is searched, the objective, the progress so far and where trials are stored.

    Args:
        done: trials of earlier commands.
        data: one line per data set.
        places: where runs and trials are stored, and under which name.
        prunes: whether the launcher can end a trial early.
    """
    search = plan.search
    table = Table.grid(padding=(0, 2))
    fixed = " ".join(without_running(plan.fixed))
    table.add_row("[bold]search[/]", plain(f"{_count(search.n_trials)}{fixed and f' of {fixed}'}"))
    for one in plan.space:
        table.add_row("", plain(f"{one.key}: {one.describe()}"))
    goal = f"{search.direction} {search.metric}, sampler={search.sampler}"
    table.add_row("[bold]goal[/]", plain(goal))
    table.add_row("[bold]pruning[/]", plain(_pruning(search, plan.measure, prunes)))
    if done:
        table.add_row("[bold]so far[/]", plain(_so_far(done)))
    for line in data:
        table.add_row("[bold]data[/]", plain(line))
    for title, place in zip(("[bold]tracking[/]", ""), places, strict=True):
        table.add_row(title, plain(place))
    for note in (*plan.probes.notes, *doubts(search)):
        table.add_row("[bold yellow]note[/]", plain(note))
    console.print(table)


def _count(trials: int) -> str:
    return f"{trials} trial{'' if trials == 1 else 's'}"


def _pruning(search: Search, measure: str, prunes: bool) -> str:
    if search.pruner == "none":
        return "none"
    if not prunes:
        return "none: only hydra/launcher=workers and ray can end a trial early"
    are = "is" if search.pruner_startup == 1 else "are"
    return (
        f"by {compared(search, measure).metric}: below the median, from epoch "
        f"{max(1, search.pruner_warmup)} on, once {_count(search.pruner_startup)} {are} complete"
    )


def _so_far(done: Sequence[FrozenTrial]) -> str:
    counts = Counter(trial.state for trial in done)
    return ", ".join(f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state])


def show_trials(trials: Sequence[TrialResult], plan: SearchPlan, criterion: Criterion) -> None:
    """Print one row per trial, best first, then why trials failed or have no parity."""
    table = cells.open_table()
    table.add_column("run", no_wrap=True)
    for one in plan.space:
        table.add_column(one.key, justify="right", overflow="fold")
    table.add_column(plan.search.metric, justify="right", overflow="fold")
    for name in (f"test {criterion.column}", "parity", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for place, trial in enumerate(trials):
        chosen = [one.text(trial.params[one.key]) for one in plan.space]
        run = cells.short(trial.run_id) if trial.run_id else cells.NONE
        outcome = _outcome(trial, criterion.test_metric, best=place == 0)
        table.add_row(run, *map(plain, chosen), *outcome)
    console.print()
    console.print(table)
    for trial in trials:
        for sentence in _remarks(trial):
            say(f"{trial.name}: {sentence}")


def _outcome(trial: TrialResult, test_metric: str, best: bool) -> tuple[str, ...]:
    run = trial.run
    remarks = {
        TrialState.COMPLETE: "best" if best else "",
        TrialState.PRUNED: f"pruned after epoch {trial.epoch}" if trial.epoch else "pruned",
        TrialState.FAIL: "[red]FAILED[/]",
    }
    return (
        cells.score(trial.value),
        cells.score(run.metrics.get(test_metric) if run else None),
        cells.parity(run.parity if run else None),
        cells.seconds(run.seconds if run else None),
        remarks[trial.state],
    )


def _remarks(trial: TrialResult) -> list[str]:
    if trial.state is TrialState.FAIL:
        return [trial.reason]
    run = trial.run
    if run is not None and run.parity not in ("exact", None):
        return [f"parity {run.parity}: {run.parity_reason}"]
    return []


def show_best(trials: Sequence[TrialResult], plan: SearchPlan) -> None:
    """Print the command that trains the best model again."""
    if not trials or trials[0].state is not TrialState.COMPLETE:
        return
    best = trials[0]
    kept = without_running(plan.job(best.params).overrides)
    console.print()
    say(
        f"Best of {_count(len(trials))}: {plan.search.metric} {best.value:.4f}. "
        "The command that trains it (again with rerun=true):"
    )
    line = shlex.join(["python", "-m", "pipeline.train", *kept])
    print_line(f"  {line}")


def show_trials_left(left: int, command: str) -> None:
    """Print the command that resumes an interrupted search."""
    if left > 0:
        console.print()
        console.print(f"{_count(left)} left. To resume, run the same command:")
        print_line(f"  {command}")
