"""The fingerprints of a run's data and of its code, each stored in one tag."""

import json
from collections.abc import Mapping

from pipeline.tracking import names

DIGITS = 16  # hexadecimal, 64 bits: enough to distinguish data sets


def fingerprints_tag(fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Return the tag with the shortened fingerprint of each split's arrays."""
    return {names.FINGERPRINTS: _shortened(fingerprints)}


def code_tag(training: str, model: str) -> dict[str, str]:
    """Return the tag with the shortened hashes of the training's code and of the model's."""
    return {names.CODE_VERSIONS: _shortened({"training": training, "model": model})}


def _shortened(digests: Mapping[str, str]) -> str:
    return json.dumps({part: digest[:DIGITS] for part, digest in digests.items()})


def stored_fingerprint(tags: Mapping[str, str], split: str) -> str | None:
    """Return the 16 digits of a split's fingerprint that a run stored; None if there are none.

    Earlier versions stored one tag per split.
    """
    if (kept := tags.get(names.FINGERPRINTS)) is not None:
        found: str | None = json.loads(kept).get(split)
        return found
    earlier = tags.get(names.fingerprint(split))
    return earlier and earlier[:DIGITS]
