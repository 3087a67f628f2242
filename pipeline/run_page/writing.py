"""Writes a run's page into the run, as often as it is asked to."""

from mlflow import MlflowClient

from pipeline.look.pages import render_page
from pipeline.run_page.page import compose_page
from pipeline.run_page.stored import read_stored

PAGE = "report.html"


def write_run_page(client: MlflowClient, run_id: str) -> None:
    """Compose the page from what the run stored, and store it as the artifact `report.html`.

    Args:
        client: of the store that holds the run.
        run_id: the run; its metrics have been sent.
    """
    page = compose_page(read_stored(client, run_id))
    client.log_text(run_id, render_page("pipeline.run_page", "run.html.j2", page=page), PAGE)
