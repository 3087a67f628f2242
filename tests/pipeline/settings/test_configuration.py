"""The configuration files teach: every key says what it means, and says what the schema allows."""

import re

import pytest
import yaml

from pipeline.cli.help_page import command_help, optimizer_file, train_help
from pipeline.settings import schema
from pipeline.settings.allowed import allowed
from pipeline.settings.composer import CONF
from pipeline.settings.model_function import built_in_models, model_function
from pipeline.settings.optimizer_arguments import keras_optimizers, optimizer_settings

COMMANDS = ("evaluate", "fetch", "parity", "predict", "report", "runs", "ui")
FILES = sorted(
    path.relative_to(CONF).as_posix()
    for path in CONF.rglob("*.yaml")
    if path.parent.name not in ("study", "sweeper")  # the questions asked, and Hydra's own
)
GROUPS = {
    "model": {name: model_function(name).settings for name in built_in_models()},
    "dataset": schema.DATASETS,
    "optimizer": {name: optimizer_settings(name) for name in keras_optimizers()},
    "schedule": schema.SCHEDULES,
    "tracking": schema.TRACKING,
}
NOT_SETTINGS = ("defaults", "hydra", "sweep", "name", "kind", "_target_")


def comments(text):
    """The comment of each settable key, by its name within the file."""
    found, parent = {}, ""
    for line in text.splitlines():
        if opening := re.match(r"(\w+):$", line):
            parent = f"{opening[1]}."
        elif setting := re.match(r"( *)(\w+):(?: [^#]+| \$\{.+\})(?:# (.+))?$", line):
            found[(parent if setting[1] else "") + setting[2]] = setting[3]
    return {key: comment for key, comment in found.items() if settable(key)}


def settable(key):
    return not {*key.split(".")} & {*NOT_SETTINGS}


def leaves(node, prefix=""):
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        elif settable(f"{prefix}{key}"):
            yield f"{prefix}{key}"


def text_of(file):
    return (CONF / file).read_text(encoding="utf-8")


def file_of(group, name):
    """The file of an option; that of an optimizer with every other argument."""
    return optimizer_file(CONF, name) if group == "optimizer" else text_of(f"{group}/{name}.yaml")


@pytest.mark.parametrize("file", FILES)
def test_every_key_has_a_comment_and_every_file_says_what_it_is(file):
    text = text_of(file)
    told = comments(text)
    assert set(told) == set(leaves(yaml.safe_load(text)))
    assert [key for key, comment in told.items() if not comment] == []
    lines = text.removeprefix("# @package _global_\n").splitlines()
    assert lines[0].startswith("# ")


def documented():
    """Each group of settings with the comments of its keys."""
    train = comments(text_of("train.yaml"))
    yield schema.Training, train | comments(text_of("optimizer/adam.yaml"))
    yield schema.Place, train
    yield schema.Search, comments(text_of("hydra/sweeper/optuna.yaml"))
    for group, kinds in GROUPS.items():
        for name, kind in kinds.items():
            text = file_of(group, name)
            for base in re.findall(r"- (base/\w+)", text):
                text += text_of(f"{group}/{base}.yaml")
            told = {
                key.removeprefix(f"{group}."): comment for key, comment in comments(text).items()
            }
            yield kind, told


@pytest.mark.parametrize(("kind", "told"), list(documented()))
def test_comments_name_what_the_schema_allows(kind, told):
    for name, described in kind.model_json_schema()["properties"].items():
        if name in ("name", "kind"):
            continue
        assert name in told, f"{kind.__name__} has {name}, which no file sets"
        for words in names_and_bounds(described):
            assert words in told[name], f"{name}: {told[name]!r} does not say {words!r}"


def names_and_bounds(described):
    """What a comment has to say: each name that may be chosen, or between which numbers."""
    for option in described.get("anyOf", [described]):
        if "enum" in option:
            yield from option["enum"]
        if option.get("type") == "array":
            yield from names_and_bounds(option["items"])
        bound = re.search(r"(?:a whole number|a number),? ?(?:from )?(.*)$", allowed(option))
        if bound and bound[1]:
            yield bound[1]


def settings_on(page):
    return set(re.findall(r"(?m)^  ([\w.]+)=", page))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_help_shows_each_setting(command):
    assert set(comments(text_of(f"{command}.yaml"))) <= settings_on(command_help(CONF, command))


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group, kinds in GROUPS.items() for name in kinds]
)
def test_the_help_of_training_shows_each_setting(group, name):
    shown = settings_on(train_help(CONF, {group: name}))
    own = comments(file_of(group, name))
    prefix = f"{group}." if group in ("dataset", "schedule", "tracking") else ""
    assert {f"{prefix}{key}" for key in own} <= shown
    assert set(comments(text_of("train.yaml"))) <= shown


@pytest.mark.parametrize("name", sorted(built_in_models()))
def test_a_models_file_and_its_signature_have_the_same_defaults(name, composed):
    composed_values = composed(f"model={name}")
    values = {**composed_values, **composed_values["model"]}
    defaults = model_function(name).defaults
    assert {key: values[key] for key in defaults} == defaults
