"""The finished runs of a sweep on a server, looked up without reading them.

MLflow's search returns whole runs, 14 kB each: 1,000 of them take the server five seconds, and the
client as long again. A sweep's own run therefore keeps the id of each job's finished run, and the
server is asked only how many of these ids are still finished runs of the sweep. A search for one
run at an offset answers that in 20 ms, whatever was deleted, trained again or failed since.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.tracking import names
from pipeline.tracking.server_requests import get, post

if TYPE_CHECKING:
    from pipeline.tracking.queries import RunResult

_COUNTED = 500  # runs per request: the server parses a filter that names them all
_SMALLEST = 8  # ids of which one does not count; their jobs are looked up one by one
_MOST_REQUESTS = 100  # two seconds, if nearly all are gone


def finished_jobs(results: "Sequence[RunResult]") -> dict[str, str]:
    """Return the id of each job's finished run, by the job's identity.

    A job with several finished runs is left out; they are compared when it is looked up.
    """
    found: dict[str, list[str]] = {}
    for one in results:
        if one.identity is not None and one.status == "FINISHED" and one.parity != "failed":
            found.setdefault(one.identity, []).append(one.run_id)
    return {identity: ids[0] for identity, ids in found.items() if len(ids) == 1}


def still_finished(
    address: str, experiment: str, sweep_id: str, identities: Sequence[str]
) -> dict[str, str]:
    """Return the jobs of a sweep that the server confirms to be finished.

    Returns:
        The ids of the finished runs, by the job's identity; empty if the sweep's own run keeps
        none, or the server does not count runs as MLflow does.
    """
    found = get(address, "/api/2.0/mlflow/experiments/get-by-name", {"experiment_name": experiment})
    if not found.ok:
        return {}
    runs = _RunsOfSweep(address, found.json()["experiment"]["experiment_id"], sweep_id)
    kept = runs.kept()
    ids = [kept[identity] for identity in identities if identity in kept]
    parts = [ids[start : start + _COUNTED] for start in range(0, len(ids), _COUNTED)]
    confirmed = {run_id for part in parts for run_id in runs.finished(part)}
    return {one: kept[one] for one in identities if kept.get(one) in confirmed}


class _RunsOfSweep:
    def __init__(self, address: str, experiment_id: str, sweep_id: str):
        self._address, self._experiment_id = address, experiment_id
        self._sweep_id = sweep_id
        self._requests = 0

    def kept(self) -> dict[str, str]:
        """Return what the sweep's own run keeps."""
        tag = f"tags.`{names.SWEEP_ID}` = '{self._sweep_id}'"
        own = f"tags.{names.KIND} = '{names.SWEEP}' AND {tag}"
        found = self._search(own, 0).get("runs", [])
        if not found:
            return {}
        place = {"run_uuid": found[0]["info"]["run_id"], "path": names.FINISHED_JOBS}
        answer = get(self._address, "/get-artifact", place)
        try:
            kept = answer.json() if answer.ok else {}
        except ValueError:
            return {}
        return kept if _is_table_of_ids(kept) else {}

    def finished(self, ids: Sequence[str]) -> Iterator[str]:
        """Yield those of some run ids that are finished runs of the sweep, but for a few."""
        query = self._finished_among(ids)
        first = self._search(query, 0)
        if not first.get("runs"):
            return
        # Another token than expected is that of a server that does not count as MLflow does.
        counts = len(ids) == 1 or first.get("next_page_token") == _token(1)
        if counts and self._search(query, len(ids) - 1).get("runs"):
            yield from ids
        elif len(ids) > _SMALLEST and self._requests < _MOST_REQUESTS:
            middle = len(ids) // 2
            yield from self.finished(ids[:middle])
            yield from self.finished(ids[middle:])

    def _finished_among(self, ids: Sequence[str]) -> str:
        named = ", ".join(f"'{run_id}'" for run_id in ids)
        return (
            f"attributes.run_id IN ({named}) AND attributes.status = 'FINISHED' AND "
            f"tags.{names.PARITY} != 'failed' AND tags.`{names.sweep_tag(self._sweep_id)}` LIKE '%'"
        )

    def _search(self, query: str, offset: int) -> Mapping[str, Any]:
        """Return the server's answer for the run at an offset; empty if it refuses to answer."""
        question = {"experiment_ids": [self._experiment_id], "filter": query, "max_results": 1}
        page = {"page_token": _token(offset)} if offset else {}
        self._requests += 1
        answer = post(self._address, "/api/2.0/mlflow/runs/search", {**question, **page})
        return answer.json() if answer.ok else {}


def _token(offset: int) -> str:
    """Return MLflow's token of the page that begins at an offset."""
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def _is_table_of_ids(kept: Any) -> bool:
    if not isinstance(kept, dict):
        return False
    return all(isinstance(one, str) and one.isalnum() for one in kept.values())
