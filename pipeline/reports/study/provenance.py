"""Exactly how a report's runs were made, and how the report is made again."""

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

_PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy", "mlflow", "hydra-core")


@dataclass(frozen=True)
class Provenance:
    """What a reader needs to repeat a study.

    Attributes:
        facts: name and value, in the order to show them.
        settings: parameters that all runs share, as typed on the command line.
    """

    facts: dict[str, str]
    settings: str


def provenance(client: MlflowClient, gathered: Gathered, runs: tuple[StudyRun, ...]) -> Provenance:
    """Collect it from the runs themselves.

    Args:
        client: of the store that holds them.
        gathered: what was looked for.
        runs: the finished ones.
    """
    first = runs[0]
    machine = json.loads(read_text(client, first.run_id, names.MACHINE) or "{}")
    command = gathered.command or _command(client, first, gathered)
    seeds = sorted({run.seed for run in runs})
    facts = {
        "runs made by": command,
        "report made by": f"python -m pipeline.report {gathered.title}",
        "runs": f"{len(runs)} finished; seeds {', '.join(map(str, seeds))}",
        "data": "; ".join(dict.fromkeys(run.tags.get(names.DATA, "not recorded") for run in runs)),
        "code": "; ".join(dict.fromkeys(code_version(run) for run in runs)),
        "packages": _packages(read_text(client, first.run_id, names.PACKAGES) or ""),
        "machine": ", ".join(
            str(machine[name]) for name in ("system", "processor") if name in machine
        )
        + f", {machine.get('cores', '?')} cores, Python {machine.get('python', '?')}",
        "when": _when(runs),
        "sweep": gathered.key,
    }
    return Provenance(facts, _shared(runs))


def _command(client: MlflowClient, run: StudyRun, gathered: Gathered) -> str:
    """Told by the first run, for a sweep that kept no command of its own."""
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
