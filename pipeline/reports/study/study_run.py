"""A run as a report sees it; no MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StudyRun:
    """What a report needs of one run.

    Attributes:
        run_id: MLflow's.
        name: as the UI shows it.
        status: FINISHED, FAILED, KILLED or RUNNING.
        started: milliseconds since 1970.
        params: as logged.
        metrics: the last value of each.
        tags: as logged.
        curves: values by epoch, for each of `names.CURVES`.
    """

    run_id: str
    name: str
    status: str
    started: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """What all randomness of the run came from."""
        return int(self.params.get("seed", 0))

    @property
    def finished(self) -> bool:
        """Whether the run went to its end."""
        return self.status == "FINISHED"
