"""Makes text from outside, such as a class name, safe for a terminal, XML and HTML."""

import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SYMBOLS = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}


def printable(text: str) -> str:
    """Replace each character that XML and HTML do not allow with a visible symbol.

    These are control characters other than tab, line feed and carriage return (␛ for ESC, ␀ for
    NUL), lone surrogates and non-characters. A browser refuses a figure that contains one, and a
    terminal interprets them.
    """
    return _FORBIDDEN.sub(lambda found: _SYMBOLS.get(ord(found.group()), "\ufffd"), text)
