"""Passwords in addresses, hidden where an address is shown or kept."""

import re

_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*(?=@)")


def masked(text: str) -> str:
    """The text with the user name and password of each address in it replaced by stars.

    >>> masked("tracking.uri=http://me:secret@host:5000")
    'tracking.uri=http://***@host:5000'
    """
    return _CREDENTIALS.sub("***", text)
