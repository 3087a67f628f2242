"""The colours of every page and figure, by their role.

Colour-blind readers can distinguish blue and orange (Okabe & Ito, 2008). Both have enough contrast
for text (4.5 or more) against the background, light and dark.
"""

from typing import Literal

Role = Literal["ink", "grey", "light", "paper", "panel", "blue", "orange"]

LIGHT: dict[Role, str] = {
    "ink": "#1b1b1b",
    "grey": "#5f5f5f",
    "light": "#dcdcdc",
    "paper": "#ffffff",
    "panel": "#f3f6f9",
    "blue": "#0069a6",
    "orange": "#b84a00",
}

DARK: dict[Role, str] = {
    "ink": "#ececec",
    "grey": "#a6a6a6",
    "light": "#3a3d41",
    "paper": "#16181b",
    "panel": "#202429",
    "blue": "#5ab4e6",
    "orange": "#f0955a",
}


def variables(colours: dict[Role, str]) -> str:
    """Return CSS custom properties, `--ink: #1b1b1b; ...`."""
    return " ".join(f"--{role}: {colour};" for role, colour in colours.items())


def page_rules() -> str:
    """Return the CSS that colours a figure within a page."""
    return _rules({role: f"var(--{role})" for role in LIGHT})


def file_rules() -> str:
    """Return the CSS of a stand-alone figure: always on white."""
    return _rules(LIGHT)


def _rules(colours: dict[Role, str]) -> str:
    return "".join(
        f".f-{role}{{fill:{colour}}}.s-{role}{{stroke:{colour};fill:none}}"
        for role, colour in colours.items()
        if role != "panel"
    )
