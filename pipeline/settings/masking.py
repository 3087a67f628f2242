"""Hides credentials in addresses that are printed or stored."""

import re

_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*(?=@)")


def masked(text: str) -> str:
    """Replace the user name and password of each address in a text with stars.

    >>> masked("tracking.uri=http://me:secret@host:5000")
    'tracking.uri=http://***@host:5000'
    """
    return _CREDENTIALS.sub("***", text)
