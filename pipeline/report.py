"""python -m pipeline.report study=lstm_units: what a sweep's runs show, with a verdict."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.command import compose_values, run_command, wants_help
from pipeline.cli.help_page import command_help
from pipeline.settings import SettingsError, parse_tracking
from pipeline.settings.conf_folder import CONF

if TYPE_CHECKING:
    from pipeline.reports.study.gathering import Gathered
    from pipeline.tracking.store import Store

_SOURCES = ("study", "sweep", "experiment")


def report() -> None:
    """Read the chosen runs back, write their report, and print the verdict."""
    study = _take_study()
    values = compose_values("report") | {"study": study}
    if values["index"] is not None:
        from pipeline.reports.study.studies_index import write_index

        print(f"{values['index']}/README.md, reports listed: {write_index(Path(values['index']))}")
        return
    _check(values)
    tracking = parse_tracking(values["tracking"])

    # Here rather than above, so that a faulty command is answered without loading MLflow.
    from pipeline.cli.report_summary import show_report
    from pipeline.reports.study.write_report import write_report
    from pipeline.tracking.store import open_store

    store = open_store(**tracking.model_dump())
    to = Path(values["to"]) if values["to"] else None
    gathered = _gather(store, values)
    page, run_id = write_report(
        store, gathered, values["data_dir"], mixed=values["mixed"] is True, to=to
    )
    show_report(page, store, gathered.experiment_id, run_id, to)


def _take_study() -> str | None:
    """Take `study=...` off the command line: Hydra would compose that study's file into this."""
    given = [word for word in sys.argv[1:] if word.lstrip("+").startswith("study=")]
    sys.argv[1:] = [word for word in sys.argv[1:] if word not in given]
    return given[-1].partition("=")[2] if given else None


def _gather(store: "Store", values: dict[str, Any]) -> "Gathered":
    from pipeline.reports.study.gathering import gather_experiment, gather_study, gather_sweep

    if values["study"] is not None:
        return gather_study(store, CONF, values["study"])
    if values["sweep"] is not None:
        return gather_sweep(store, CONF, values["sweep"])
    return gather_experiment(store, values["experiment"], values["varied"])


def _check(values: dict[str, Any]) -> None:
    given = [name for name in _SOURCES if values[name] is not None]
    if len(given) != 1:
        found = "none is" if not given else f"{' and '.join(given)} are"
        raise SettingsError(
            [f"study=..., sweep=... or experiment=... is needed, one of them; {found} set."]
        )
    if values["mixed"] not in (True, False):
        raise SettingsError([f"mixed={values['mixed']} must be true or false."])
    varied = values["varied"]
    if varied is not None and not isinstance(varied, list):
        raise SettingsError([f"varied={varied} must be a list of parameters, 'varied=[units]'."])


def main() -> None:
    """Answer `--help`, or write a report."""
    if wants_help():
        print(command_help(CONF, "report"))
    else:
        run_command(report)


if __name__ == "__main__":
    main()
