"""The colours of every page and figure, by their role.

Colour-blind readers can tell blue and orange apart (Okabe & Ito, 2008), and both stand out from
the paper well enough to be read as letters (a contrast of 4.5 and more), in light and in dark.
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
    """CSS custom properties, `--ink: #1b1b1b; ...`."""
    return " ".join(f"--{role}: {colour};" for role, colour in colours.items())


def page_rules() -> str:
    """CSS by which a figure within a page takes the page's colours."""
    return _rules({role: f"var(--{role})" for role in LIGHT})


def file_rules() -> str:
    """CSS of a figure that is a file of its own: on white, whoever looks."""
    return _rules(LIGHT)


def _rules(colours: dict[Role, str]) -> str:
    return "".join(
        f".f-{role}{{fill:{colour}}}.s-{role}{{stroke:{colour};fill:none}}"
        for role, colour in colours.items()
        if role != "panel"
    )
