"""What can be said of README and docs without running their commands; those are run elsewhere."""

import ast
import re

import pytest

from tests.support.documentation import (
    REPOSITORY,
    blocks,
    commands,
    kind,
    overrides,
    pages,
    text_of,
)
from tests.support.plans import plan_of, search_of

WITH_MODULES = ("docs/adding-a-model.md", "docs/own-arrays.md")  # run in test_documentation
LANGUAGES = {"bash", "python", "yaml", ""}  # the last: data, drawings
SHELL = [
    (page, line)
    for page in pages()
    for _, block in blocks(page, "bash")
    for line in commands(block)
]
TRAIN = [line for page, line in SHELL if kind(line) == "train" and page not in WITH_MODULES]


def test_there_is_something_to_test():
    assert len(SHELL) > 25
    assert len(TRAIN) > 10


@pytest.mark.parametrize("page", pages())
def test_every_block_says_its_language_and_commands_stand_in_bash(page):
    assert {language for language, _ in blocks(page)} <= LANGUAGES
    for _, block in blocks(page, ""):
        assert not re.search(r"^(\$ )?(python|pip|mlflow|curl) ", block, re.MULTILINE), block


@pytest.mark.parametrize(("page", "command"), SHELL)
def test_every_command_is_of_a_known_kind(page, command):
    assert kind(command) is not None, f"{page}: how is this tested? {command}"


@pytest.mark.parametrize("command", TRAIN)
def test_every_command_that_trains_can_be_planned(command):
    given = re.sub(r"<(\w+)>", r"\1", command.partition(" #")[0])
    options = [word for word in overrides(given) if not word.startswith(("-", "hydra"))]
    options = [f"+{word}" if word.startswith("study=") else word for word in options]
    if "hydra/sweeper=optuna" in command:
        assert search_of(*options).space
    elif "--help" not in command:
        assert plan_of(*options).jobs


@pytest.mark.parametrize("page", pages())
def test_every_program_can_be_read(page):
    for _, program in blocks(page, "python"):
        if not re.match(r"# [\w/]+\.py, in ", program):  # a line of a table
            ast.parse(program)


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page):
    here = (REPOSITORY / page).parent
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", text_of(page)):
        path, _, heading = target.partition("#")
        file = here / path if path else REPOSITORY / page
        assert file.exists(), f"{page}: {target}"
        if heading:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {
                re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles
            }


def test_every_page_is_in_the_index():
    index = text_of("docs/README.md")
    for page in pages():
        path = page.removeprefix("docs/")
        assert path == "README.md" or f"({path})" in index, page
