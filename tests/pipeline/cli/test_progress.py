"""Progress in a notebook cell, through IPython's own display machinery."""

import pytest

from pipeline.cli.console import console
from pipeline.cli.progress import SweepProgress
from pipeline.training.history import Epoch


@pytest.fixture
def published(monkeypatch):
    """What is displayed in the cell of a notebook, as messages to its page."""
    shells = pytest.importorskip("IPython.core.interactiveshell")
    publisher = pytest.importorskip("IPython.core.displaypub").CapturingDisplayPublisher()
    shell = shells.InteractiveShell.instance()
    monkeypatch.setattr(shell, "display_pub", publisher)
    monkeypatch.setattr(console, "is_jupyter", True)
    yield publisher.outputs
    shells.InteractiveShell.clear_instance()


def test_a_cell_has_one_output_that_ends_with_the_last_epoch_of_every_job(published):
    with SweepProgress(2) as progress:
        for job, name in enumerate(("units=4", "units=8")):
            progress.add(job, name, "reviews", 30)
            progress.starts(job, "abc")
            for number in range(1, 31):
                progress.epoch(job, Epoch(number, 1.0, 0.5, 0.5, 0.75, 0.001, 1.0))
            progress.ends(job, failed=False)
    first, *updates = published
    assert not first["update"]
    assert all(one["update"] for one in updates)
    assert len({one["transient"]["display_id"] for one in published}) == 1
    assert len(published) < 15  # of 60 epochs
    last = updates[-1]["data"]
    assert "text/html" in last
    lines = last["text/plain"].splitlines()
    for line, name in zip(lines, ("1/2 units=4", "2/2 units=8"), strict=True):
        assert name in line
        assert "30/30" in line
        assert "val loss 0.500  val acc 0.750" in line
