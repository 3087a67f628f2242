"""The fingerprints of a run's data, as one tag keeps them."""

import json
from collections.abc import Mapping

from pipeline.tracking import names

DIGITS = 16  # hexadecimal, 64 bits: enough to tell two data sets apart


def fingerprints_tag(fingerprints: Mapping[str, str]) -> dict[str, str]:
    """The tag for the fingerprint of each split's arrays, shortened."""
    short = {split: digest[:DIGITS] for split, digest in fingerprints.items()}
    return {names.FINGERPRINTS: json.dumps(short)}


def stored_fingerprint(tags: Mapping[str, str], split: str) -> str | None:
    """The 16 digits that a run keeps of a split's fingerprint, None where it keeps none.

    Earlier versions kept each split's in a tag of its own.
    """
    if (kept := tags.get(names.FINGERPRINTS)) is not None:
        found: str | None = json.loads(kept).get(split)
        return found
    earlier = tags.get(names.fingerprint(split))
    return earlier and earlier[:DIGITS]
