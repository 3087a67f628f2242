"""Checks that the classes that `class_weight=` names exist, which only the data tell."""

from collections.abc import Iterable

from pipeline.data.sharing import shared_data
from pipeline.errors import did_you_mean
from pipeline.settings import Settings, refuse
from pipeline.settings.as_typed import as_typed


def check_class_weights(jobs: Iterable[Settings]) -> None:
    """Compare the names of weighted classes with the classes of each job's data.

    Raises:
        SettingsError: with one sentence per class that the data do not have.
    """
    refuse(fault for settings in jobs for fault in _faults(settings))


def _faults(settings: Settings) -> list[str]:
    weights = settings.training.class_weight
    if weights is None:
        return []
    data = shared_data(**settings.data)
    if data.task not in ("multiclass", "binary"):
        return [f"class_weight={as_typed(weights)} is for classes, not for task={data.task}."]
    if not isinstance(weights, dict):
        return []
    classes = data.classes
    return [
        f"class_weight names `{name}`, which is no class of dataset={settings.dataset.name}"
        f"{did_you_mean(name, classes)}; its classes are {', '.join(classes)}."
        for name in weights
        if name not in classes
    ]
