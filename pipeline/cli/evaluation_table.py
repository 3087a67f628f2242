"""Prints evaluations: a row per run, what there is to say, and the comparison with the best."""

from collections.abc import Sequence

from pipeline.cli import cells
from pipeline.cli.console import console, plain, say
from pipeline.evaluation.comparison import RunComparison, best_first, comparable, compare_runs
from pipeline.evaluation.evaluate_run import Evaluation
from pipeline.settings.scores import SCORES


def show_evaluations(name: str, evaluations: Sequence[Evaluation]) -> None:
    """Print the scores of runs on the same data, best first, and the report of a single run."""
    data = evaluations[0].data
    console.print(f"[bold]{plain(name)}[/]  {len(data.split):,} examples: {plain(data.origin)}")
    ranked = best_first(evaluations)
    _show_scores(ranked)
    for one in ranked:
        for sentence in _remarks(one):
            say(f"{one.run.info.run_name}: {sentence}")
    if len(ranked) == 1:
        console.print()
        console.print(plain(ranked[0].report))
    elif comparable(ranked):
        _show_comparisons(compare_runs(ranked), ranked[0])


def _show_scores(ranked: Sequence[Evaluation]) -> None:
    scores = ranked[0].task.score_names
    table = cells.open_table()
    table.add_column("run", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for heading in (*(SCORES[score].column for score in scores), "parity", "copies"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in ranked:
        table.add_row(
            cells.short(one.run.info.run_id),
            plain(one.run.info.run_name),
            *(cells.score(one.scores.get(score)) for score in scores),
            cells.parity(one.parity.tag),
            cells.NONE if one.copies is None else str(one.copies),
        )
    console.print(table)


def _remarks(evaluation: Evaluation) -> list[str]:
    told = list(evaluation.notes)
    if evaluation.copies:
        count, total = evaluation.copies, len(evaluation.data.split)
        told.append(f"{count:,} of {total:,} examples are copies of training examples.")
    if evaluation.parity.tag != "exact":
        told.append(f"parity {evaluation.parity.tag}: {evaluation.parity.reason}")
    return told


def _show_comparisons(comparisons: Sequence[RunComparison], best: Evaluation) -> None:
    score = SCORES[best.task.primary]
    console.print()
    say(f"Difference of {score.title} from {best.run.info.run_name}, with its 95 % interval:")
    for one in comparisons:
        say(f"{one.other.run.info.run_name}: {_difference(one)}", indent=2)


def _difference(comparison: RunComparison) -> str:
    if comparison.interval is None:
        return f"{comparison.difference:+.4f}; too few examples for an interval"
    low, high = comparison.interval
    differs = "" if comparison.interval.covers(0) else ", the difference is shown"
    return f"{comparison.difference:+.4f} ({low:+.4f} to {high:+.4f}){differs}"
