"""Where the configuration files lie, in a checkout as in an installed package."""

from pathlib import Path

CONF = Path(__file__).resolve().parent.parent / "conf"
