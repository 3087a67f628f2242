"""python -m pipeline.report study=lstm_units: write a sweep's report, with a verdict."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.command import Given, command
from pipeline.errors import not_offered
from pipeline.settings import SettingsError, parse_tracking, refuse
from pipeline.settings.as_typed import as_typed
from pipeline.settings.composer import CONF
from pipeline.settings.scores import SELECT_BY

if TYPE_CHECKING:
    from pipeline.reports.study.gathering import Gathered
    from pipeline.tracking.store import Store

_SOURCES = ("study", "sweep", "experiment")


@command("report", verbatim=("study", "sweep", "experiment"))
def main(given: Given) -> None:
    """Read the selected runs, write their report, and print the verdict."""
    values = given.values
    if values["index"] is not None:
        from pipeline.reports.study.studies_index import write_index

        print(f"{values['index']}/README.md, reports listed: {write_index(Path(values['index']))}")
        return
    _check(values)
    tracking = parse_tracking(values["tracking"])

    # Imported here, so that a faulty command is refused without loading MLflow.
    from pipeline.cli.report_summary import show_report
    from pipeline.reports.study.write_report import write_report
    from pipeline.tracking.store import existing_store

    store = existing_store(**tracking.model_dump())
    to = Path(values["to"]) if values["to"] else None
    gathered = _gather(store, values)
    if values["select_by"] is not None:
        gathered = replace(gathered, select_by=values["select_by"])
    page, run_id = write_report(
        store, gathered, values["data_dir"], mixed=values["mixed"] is True, to=to
    )
    show_report(page, store, gathered.experiment_id, run_id, to)


def _gather(store: "Store", values: dict[str, Any]) -> "Gathered":
    from pipeline.reports.study.gathering import gather_experiment, gather_study, gather_sweep
    from pipeline.tracking.run_choice import choose_sweep

    if values["study"] is not None:
        return gather_study(store, CONF, values["study"])
    if values["sweep"] is not None:
        return gather_sweep(store, CONF, choose_sweep(store, values["sweep"]))
    return gather_experiment(store, values["experiment"], values["varied"])


def _check(values: dict[str, Any]) -> None:
    given = [name for name in _SOURCES if values[name] is not None]
    if len(given) != 1:
        found = "none is" if not given else f"{' and '.join(given)} are"
        raise SettingsError(
            [f"study=..., sweep=... or experiment=... is needed, one of them; {found} set."]
        )
    faults = [
        f"{name}={as_typed(values[name])} names several; a report is about one."
        for name in given
        if not isinstance(values[name], str | int | float) or "," in str(values[name])
    ]
    refuse(faults)
    if values["select_by"] not in (None, *SELECT_BY):
        raise SettingsError([not_offered("select_by", str(values["select_by"]), SELECT_BY)])
    if values["mixed"] not in (True, False):
        raise SettingsError([f"mixed={values['mixed']} must be true or false."])
    varied = values["varied"]
    if varied is not None and not isinstance(varied, list):
        raise SettingsError([f"varied={varied} must be a list of parameters, 'varied=[units]'."])


if __name__ == "__main__":
    main()
