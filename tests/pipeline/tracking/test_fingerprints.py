from pipeline.tracking import names
from pipeline.tracking.fingerprints import fingerprints_tag, stored_fingerprint


def test_one_tag_keeps_the_fingerprints_of_all_splits():
    tags = fingerprints_tag({"train": "a" * 64, "test": "b" * 64})
    assert len(tags) == 1
    assert stored_fingerprint(tags, "train") == "a" * 16
    assert stored_fingerprint(tags, "test") == "b" * 16
    assert stored_fingerprint(tags, "validation") is None


def test_the_tags_of_an_earlier_version_are_read():
    tags = {names.fingerprint("test"): "b" * 64}
    assert stored_fingerprint(tags, "test") == "b" * 16
    assert stored_fingerprint({}, "test") is None


def test_bookkeeping_sorts_last():
    told = [names.PARITY, names.DATA, names.DEGENERATE, names.FIRST_SWEEP, names.sweep_tag("a")]
    kept = [names.IDENTITY, names.OWNER, names.HEARTBEAT, names.FINGERPRINTS]
    assert max(told) < min(kept)
