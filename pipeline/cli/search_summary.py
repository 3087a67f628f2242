"""A search before its first trial and after its last."""

import shlex
from collections import Counter
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState
from rich.markup import escape
from rich.table import Table

from pipeline.cli.console import console, print_line, say
from pipeline.search.metric import compared, doubts
from pipeline.search.search_plan import SearchPlan
from pipeline.search.search_results import Tried
from pipeline.settings.schema import Running, Search

_WORDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def show_search(
    plan: SearchPlan,
    done: Sequence[FrozenTrial],
    data: Sequence[str],
    places: Sequence[str],
    prunes: bool,
) -> None:
    """Say what is searched, for what, how far that is, and where it is kept.

    Args:
        plan: the search.
        done: trials of earlier commands.
        data: a line for each data set.
        places: where runs and trials are kept, and under which name.
        prunes: whether the launcher can end a trial early.
    """
    search = plan.search
    table = Table.grid(padding=(0, 2))
    fixed = " ".join(one for one in plan.fixed if one.split("=")[0] not in Running.model_fields)
    table.add_row("[bold]search[/]", escape(f"{_count(search.n_trials)}{fixed and f' of {fixed}'}"))
    for one in plan.space:
        table.add_row("", escape(f"{one.key}: {one.describe()}"))
    table.add_row("[bold]for[/]", escape(f"{_aim(search)}, sampler={search.sampler}"))
    table.add_row("[bold]pruning[/]", escape(_pruning(search, prunes)))
    if done:
        table.add_row("[bold]so far[/]", escape(_so_far(done)))
    for line in data:
        table.add_row("[bold]data[/]", escape(line))
    for title, place in zip(("[bold]tracking[/]", ""), places, strict=True):
        table.add_row(title, escape(place))
    for note in (*plan.probes.notes, *doubts(search)):
        table.add_row("[bold yellow]note[/]", escape(note))
    console.print(table)


def _count(trials: int) -> str:
    return f"{trials} trial{'' if trials == 1 else 's'}"


def _aim(search: Search) -> str:
    return f"the {'most' if search.direction == 'maximize' else 'least'} {search.metric}"


def _pruning(search: Search, prunes: bool) -> str:
    if search.pruner == "none":
        return "none"
    if not prunes:
        return "none: only hydra/launcher=workers can end a trial early"
    return (
        f"by {compared(search)}: below the median, from epoch {max(1, search.pruner_warmup)} on, "
        f"once {_count(search.pruner_startup)} {_are(search.pruner_startup)} complete"
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _so_far(done: Sequence[FrozenTrial]) -> str:
    counts = Counter(trial.state for trial in done)
    return ", ".join(f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state])


def show_tried(trials: Sequence[Tried], plan: SearchPlan) -> None:
    """One row a trial, the best first; below the table, why trials failed or lack parity."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for one in plan.space:
        table.add_column(one.key, justify="right", overflow="fold")
    table.add_column(plan.search.metric, justify="right", overflow="fold")
    for name in ("test F1", "parity", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for place, trial in enumerate(trials):
        chosen = [one.text(trial.params[one.key]) for one in plan.space]
        table.add_row(*map(escape, chosen), *_outcome(trial, best=place == 0))
    console.print()
    console.print(table)
    for trial in trials:
        for sentence in _remarks(trial):
            say(f"{trial.name}: {sentence}")


def _outcome(trial: Tried, best: bool) -> tuple[str, ...]:
    run = trial.run
    parity = (run and run.parity) or "-"
    colour = {"exact": "green", "close": "yellow", "-": "default"}.get(parity, "red")
    remarks = {
        TrialState.COMPLETE: "best" if best else "",
        TrialState.PRUNED: f"pruned {trial.reason.split(':')[0]}",
        TrialState.FAIL: "[red]FAILED[/]",
    }
    return (
        "-" if trial.value is None else f"{trial.value:.4f}",
        "-" if run is None or run.f1_macro is None else f"{run.f1_macro:.4f}",
        f"[{colour}]{parity}[/]",
        "-" if run is None or run.seconds is None else f"{run.seconds:.1f}",
        remarks[trial.state],
    )


def _remarks(trial: Tried) -> list[str]:
    if trial.state is TrialState.FAIL:
        return [trial.reason]
    run = trial.run
    if run is not None and run.parity not in ("exact", None):
        return [f"parity {run.parity}: {run.parity_reason}"]
    return []


def show_best(trials: Sequence[Tried], plan: SearchPlan) -> None:
    """The command that trains the best model again."""
    if not trials or trials[0].state is not TrialState.COMPLETE:
        return
    best = trials[0]
    overrides = plan.job(best.params).overrides
    kept = [one for one in overrides if one.split("=")[0] not in Running.model_fields]
    console.print()
    say(
        f"Best of {_count(len(trials))}: {plan.search.metric} {best.value:.4f}. "
        "The command that trains it (again with rerun=true):"
    )
    line = shlex.join(["python", "-m", "pipeline.train", *kept])
    print_line(f"  {line}")


def show_trials_left(left: int, command: str) -> None:
    """Where a search was interrupted, the command that goes on."""
    if left > 0:
        console.print()
        console.print(f"{_count(left)} left. The same command goes on:")
        print_line(f"  {command}")
