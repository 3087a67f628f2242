"""A planned job as one override, for launchers of Hydra's.

Such a launcher composes its jobs anew, in another process or on another machine, where environment,
configuration folders and so the configuration may differ. It is given the planned job instead.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from pipeline.settings import SettingsError

KEY = "sweep.document"


def job_override(values: Mapping[str, Any], overrides: Sequence[str]) -> str:
    """The override that hands over a job; percent-encoded, so that Hydra's grammar lets it be.

    Args:
        values: the job's configuration, as plain values.
        overrides: what was set by hand in it.
    """
    document = json.dumps({"values": dict(values), "overrides": list(overrides)})
    return f"{KEY}={quote(document, safe='')}"


def read_document(document: str | None) -> tuple[dict[str, Any], list[str]]:
    """The values and overrides that `job_override` handed over.

    Raises:
        SettingsError: when a job was not planned.
    """
    if document is None:
        raise SettingsError(["hydra/sweeper must be pipeline or optuna: it plans the jobs."])
    job = json.loads(unquote(document))
    return job["values"], job["overrides"]
