"""The fingerprints of a run's data, stored in one tag."""

import json
from collections.abc import Mapping

from pipeline.tracking import names

DIGITS = 16  # hexadecimal, 64 bits: enough to distinguish data sets


def fingerprints_tag(fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Return the tag with the shortened fingerprint of each split's arrays."""
    short = {split: digest[:DIGITS] for split, digest in fingerprints.items()}
    return {names.FINGERPRINTS: json.dumps(short)}


def stored_fingerprint(tags: Mapping[str, str], split: str) -> str | None:
    """Return the 16 digits of a split's fingerprint that a run stored; None if there are none.

    Earlier versions stored one tag per split.
    """
    if (kept := tags.get(names.FINGERPRINTS)) is not None:
        found: str | None = json.loads(kept).get(split)
        return found
    earlier = tags.get(names.fingerprint(split))
    return earlier and earlier[:DIGITS]
