"""The table of all reports in a folder: their claims and findings."""

import json
from pathlib import Path

from pipeline.settings import SettingsError

START, END = "<!-- table of reports -->", "<!-- end of table -->"
_HEAD = "| study | question | the report said | here | n | answer |\n|---|---|---|---|---|---|\n"


def write_index(folder: Path) -> int:
    """Rewrite the table between the two marks in a folder's README.md.

    Args:
        folder: contains one folder per report, with `verdict.json` and `report.md`.

    Returns:
        The number of reports in the table.

    Raises:
        SettingsError: when there is no README.md with the marks, or no report.
    """
    page = folder / "README.md"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    reports = sorted(folder.glob("*/verdict.json"))
    if START not in text or END not in text:
        raise SettingsError([f"index={folder}: {page} with the line {START} is needed."])
    if not reports:
        raise SettingsError([f"index={folder}: no folder in it holds a verdict.json."])
    before, after = text.split(START)[0], text.split(END)[1]
    rows = "".join(_row(report) for report in reports)
    page.write_text(f"{before}{START}\n{_HEAD}{rows}{END}{after}", encoding="utf-8")
    return len(reports)


def _row(report: Path) -> str:
    found = json.loads(report.read_text(encoding="utf-8"))
    name = report.parent.name
    seeds = found["seeds"]
    cells = [
        f"[{name}]({name}/report.md)",
        found["question"],
        found["claim"] or "–",
        f"**{found['outcome']}**" if found["outcome"] else "–",
        str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}",
        found["headline"],
    ]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"
