"""Runs as a study reads them back."""

from pipeline.reports.study.study_run import StudyRun

PARAMS = {"model": "lstm", "dataset": "nusax", "units": "32", "mask": "False", "seed": "0"}


TAGS = {
    "mlflow.source.git.commit": "a" * 40,
    "git.dirty": "False",
    "parity": "exact",
    "degenerate": "no",
    **{f"fingerprint.{split}": split[0] * 64 for split in ("train", "validation", "test")},
}


def study_run(
    score,
    *,
    seed=0,
    status="FINISHED",
    tags=None,
    metrics=None,
    curves=None,
    validation=None,
    **params,
):
    """A run as it is read back, with the parameters that matter for a test."""
    params = {key: str(value) for key, value in params.items()}
    name = " ".join(f"{key}={value}" for key, value in params.items()) + f" seed={seed}"
    return StudyRun(
        run_id=f"{abs(hash((name, status, score))):032x}",
        name=name,
        status=status,
        started=1_700_000_000_000 + seed,
        params={**PARAMS, **params, "seed": str(seed)},
        metrics={
            "validation/f1_macro": score if validation is None else validation,
            "test/f1_macro": score,
            "test/accuracy": score,
            "baseline/majority_f1_macro": 0.25,
            "baseline/majority_accuracy": 0.4,
            "parity/max_abs_diff": 2e-7,
            "seconds": 3.0,
            "parameters": 1000.0,
            **(metrics or {}),
        },
        tags={**TAGS, **(tags or {})},
        curves=curves
        or {
            "loss/train": (1.0, 0.5, 0.2),
            "loss/validation": (1.0, 0.8, 0.9),
            "accuracy/train": (0.3, 0.6, 0.9),
            "accuracy/validation": (0.3, score, score - 0.01),
        },
    )


def runs_of(scores, **params):
    """One run a seed."""
    return [study_run(score, seed=seed, **params) for seed, score in enumerate(scores)]
