"""How the runs of a report were made, and how to make the report again."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from mlflow import MlflowClient

from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.reading import read_config, read_text
from pipeline.reports.study.study_run import StudyRun
from pipeline.reports.study.varied import code_version
from pipeline.settings.as_typed import label
from pipeline.tracking import names
from pipeline.tracking.environment import machine_in_words

_PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy", "mlflow", "hydra-core")


@dataclass(frozen=True)
class Provenance:
    """What a reader needs to repeat a study."""

    runs_command: str  # the command that made the runs
    report_command: str  # the command that made the report
    data: str  # a description of the data set
    facts: dict[str, str]  # further names and values, in display order
    settings: str  # parameters that all runs share, as typed on the command line


def provenance(client: MlflowClient, gathered: Gathered, runs: tuple[StudyRun, ...]) -> Provenance:
    """Collect the provenance from the runs."""
    first = runs[0]
    machine = json.loads(read_text(client, first.run_id, names.MACHINE) or "{}")
    seeds = sorted({run.seed for run in runs})
    facts = {
        "runs": f"{len(runs)} finished; seeds {', '.join(map(str, seeds))}",
        "code": "; ".join(dict.fromkeys(code_version(run) for run in runs)),
        "packages": _packages(read_text(client, first.run_id, names.PACKAGES) or ""),
        "machine": machine_in_words(machine),
        "when": _when(runs),
        "sweep": gathered.key,
    }
    return Provenance(
        runs_command=gathered.command or _command(client, first, gathered),
        report_command=f"python -m pipeline.report {gathered.title}",
        data="; ".join(dict.fromkeys(run.tags.get(names.DATA, "not recorded") for run in runs)),
        facts=facts,
        settings=_shared(runs),
    )


def _command(client: MlflowClient, run: StudyRun, gathered: Gathered) -> str:
    """Reconstruct the command from the first run, for a sweep that stored none."""
    varied = read_config(client, run.run_id).get("sweep", {}).get("varied", gathered.varied)
    return f"a sweep over {', '.join(varied)}" if varied else "a single run"


def _packages(text: str) -> str:
    versions = dict(line.split("==", 1) for line in text.splitlines() if "==" in line)
    found = {name.lower(): version for name, version in versions.items()}
    return ", ".join(f"{name} {found[name]}" for name in _PACKAGES if name in found)


def _when(runs: tuple[StudyRun, ...]) -> str:
    ends = min(run.started for run in runs), max(run.started for run in runs)
    first, last = (f"{datetime.fromtimestamp(end / 1000, UTC):%Y-%m-%d %H:%M}" for end in ends)
    return f"first run {first}, last run {last} UTC"


def _shared(runs: tuple[StudyRun, ...]) -> str:
    shared = dict(runs[0].params)
    for run in runs[1:]:
        shared = {k: v for k, v in shared.items() if run.params.get(k) == v}
    return " ".join(f"{key}={label(value)}" for key, value in shared.items() if key != "seed")
