"""The help pages, generated from the configuration files and their comments."""

import re
import textwrap
from pathlib import Path

from pipeline.functions.lookup import is_own
from pipeline.settings.optimizer_arguments import (
    keras_optimizers,
    optimizer_heading,
    optimizer_lines,
)
from pipeline.settings.own_functions import OWN_FUNCTIONS

_SETTING = re.compile(r"^(?P<indent> *)(?P<key>\w+): (?P<default>.+?) # (?P<meaning>.+)$")
_OPENING = re.compile(r"^(?P<key>\w+):$")
_TITLE = re.compile(r"^# --- (?P<title>.+) ---$")
_BASE = re.compile(r"^  - (base/\w+)$", re.MULTILINE)
_DATASET = re.compile(r"^  - override /dataset: (?P<dataset>\w+)$", re.MULTILINE)
_GROUPS = ("model", "dataset", "optimizer", "schedule", "tracking")
_OF_ALL_FUNCTIONS = {"dataset": ["base/arrays"]}  # settings of every function of a group
_WIDTH, _COLUMN = 79, 28

_TRAIN_HEADER = """\
python -m pipeline.train [group=choice ...] [setting=value ...]

Trains, tracks and checks one model, or a whole sweep:
  python -m pipeline.train model=lstm units=32,64,128
If there are too many values to try all of them, Optuna searches:
  python -m pipeline.train hydra/sweeper=optuna 'units=choice(8,16,32)' \\
      'learning_rate=tag(log,interval(1e-4,1e-1))'
A study is a sweep with a question. It ends with a report that answers it:
  python -m pipeline.train study=lstm_units
"""
_TRAIN_FOOTER = """\
Hydra's -m (--multirun) is optional: a single run is a sweep of one job.
Your own model function: model=my_models:textcnn (docs/adding-a-model.md).
Your own texts or images: dataset=csv, image_folder (docs/own-data.md).
Your own arrays or tables: dataset=my_data:load, npz, csv (docs/own-arrays.md).
Your own configuration files: --config-dir my_conf +experiment=mine.
A list is one value in brackets: 'filters=[16,32],[32,64]' sweeps over two.
--help model=cnn dataset=nusax describes these instead of the defaults above.
--cfg job prints the composed configuration; --hydra-help describes Hydra.
"""


_HEADERS = {
    "parity": """\
python -m pipeline.parity run_id=...|experiment=... [setting=value ...]

Downloads the artifacts of runs, repeats their predictions with NumPy alone,
compares them with Keras's, and logs the outcome to the same runs.
""",
    "report": """\
python -m pipeline.report study=...|sweep=...|experiment=... [setting=value ...]

Reads the runs of a sweep and writes a report: verdict, figures, table, one
HTML page, Markdown and CSV. The report is logged to the sweep's own run.
""",
    "fetch": """\
python -m pipeline.fetch run_id=... to=... [setting=value ...]

Downloads a run's weights into a folder and replays their parity card, without
TensorFlow. Weights that fail it are not kept.
""",
    "evaluate": """\
python -m pipeline.evaluate run_id=... dataset=csv dataset.path=new.csv
python -m pipeline.evaluate sweep=... dataset=nusax dataset.language=javanese

Evaluates trained runs on other labelled data: scores, report, figures, and
parity of Keras and NumPy, logged to the runs and shown as a table. The data
are preprocessed as in training. Several runs are compared with the best one.
""",
    "runs": """\
python -m pipeline.runs [--csv|--json] [setting=value ...]

Lists runs, best first: as a table of what differs between them, or with
everything known about each as CSV or JSON. delete=ID shows what would be
deleted; delete=ID sure=true deletes it.
""",
    "move": """\
python -m pipeline.move to=http://host:5000 [setting=value ...]

Copies the runs of this folder's store completely to an MLflow server:
parameters, every point of every curve, tags, times, artifacts, saved views.
Nothing is removed here. To resume, run the same command.
""",
    "ui": """\
python -m pipeline.ui [setting=value ...]

Opens MLflow on the store of this folder, at the latest sweep. Only this
machine can reach the page.
""",
    "predict": """\
python -m pipeline.predict run_id=... "a text" "another" [setting=value ...]
python -m pipeline.predict run_id=... data.csv|image.png [setting=value ...]
python -m pipeline.predict run_id=... x.npy|x.npz [setting=value ...]

Prints what the model predicts, such as the class and the probabilities of all
classes, without TensorFlow. A CSV file needs a column `text`, or the columns
of the table that the model was trained on; the output is then CSV as well.
""",
}


def command_help(conf: Path, command: str) -> str:
    """Return the `--help` page of a command that is not a sweep."""
    groups = {"report": ("study", "tracking"), "evaluate": ("dataset", "tracking"), "ui": ()}.get(
        command, ("tracking",)
    )
    offered = "groups\n" + "".join(_options(conf, group) for group in groups)
    parts = [offered] if groups else []
    return "\n".join([_HEADERS[command], *parts, *_parts(_read(conf, ".", command))])


def train_help(conf: Path, choices: dict[str, str]) -> str:
    """Return the page of `python -m pipeline.train --help`.

    Args:
        choices: the option to describe for each group, such as `{"model": "cnn"}`.
    """
    model, optimizer = choices.get("model", "lstm"), choices.get("optimizer", "adam")
    schedule, tracking = choices.get("schedule", "constant"), choices.get("tracking", "local")
    model_file = _choice(conf, "model", model)
    dataset = choices.get("dataset", _default_dataset(model_file))
    sections = [
        _TRAIN_HEADER,
        "groups\n" + "".join(_options(conf, group) for group in (*_GROUPS, "study")),
        _section(f"model={model}", model_file),
        _section(f"optimizer={optimizer}", optimizer_file(conf, optimizer)),
        _section(f"schedule={schedule}", _read(conf, "schedule", schedule), prefix="schedule."),
        _section(f"dataset={dataset}", _choice(conf, "dataset", dataset), prefix="dataset."),
        *_parts(_read(conf, ".", "train")),
        _section(f"tracking={tracking}", _read(conf, "tracking", tracking), prefix="tracking."),
        _section(
            "hydra/sweeper=optuna", _read(conf, "hydra/sweeper", "optuna"), prefix="hydra.sweeper."
        ),
        _TRAIN_FOOTER,
    ]
    return "\n".join(filter(None, sections))


def _choice(conf: Path, group: str, name: str) -> str:
    """Return the file of a choice, or of a user's function, with those that it builds on."""
    file = OWN_FUNCTIONS[group](name).as_yaml() if is_own(name) else _read(conf, group, name)
    bases = _OF_ALL_FUNCTIONS.get(group, []) if is_own(name) else _BASE.findall(file)
    return file + "".join(_read(conf, group, base) for base in bases)


def _default_dataset(model_file: str) -> str:
    found = _DATASET.search(model_file)
    return found["dataset"] if found else "reviews"


def _read(conf: Path, group: str, option: str) -> str:
    path = conf / group / f"{option}.yaml"
    return path.read_text() if path.is_file() else ""


def optimizer_file(conf: Path, name: str) -> str:
    """Return an optimizer's file and the arguments that it leaves at Keras's default."""
    if name not in keras_optimizers():
        return ""
    text = _read(conf, "optimizer", name) or optimizer_heading(name)
    lines = optimizer_lines(name).items()
    return text + "".join(line for key, line in lines if f"\n  {key}: " not in text)


def _options(conf: Path, group: str) -> str:
    names = {path.stem for path in (conf / group).glob("*.yaml")}
    options = ", ".join(sorted(names | {*keras_optimizers()} if group == "optimizer" else names))
    first, rest = f"  {group + '=':<12}", " " * 14
    return textwrap.fill(options, _WIDTH, initial_indent=first, subsequent_indent=rest) + "\n"


def _parts(train: str) -> list[str]:
    """Split the primary file into its titled parts, without the internal settings after them."""
    parts = re.split(r"(?m)^(?=# ---)", train)[1:]
    titles = [_TITLE.match(part.splitlines()[0]) for part in parts]
    return [
        _section(title["title"], part)
        for title, part in zip(titles, parts, strict=True)
        if title and title["title"] != "internal"
    ]


def _section(title: str, text: str, prefix: str = "") -> str:
    """Return each documented setting with its default and meaning; "" if there are none."""
    lines, parent = [], ""
    for line in text.splitlines():
        if opening := _OPENING.match(line):
            parent = f"{opening['key']}."
        if setting := _SETTING.match(line):
            owner = parent if setting["indent"] else prefix
            lines.append(_describe(f"{owner}{setting['key']}={setting['default']}", setting))
    return "\n".join([title, *lines]) + "\n" if lines else ""


def _describe(name: str, setting: re.Match[str]) -> str:
    meaning = textwrap.wrap(setting["meaning"], _WIDTH - _COLUMN)
    first = f"  {name}"
    if len(first) < _COLUMN:
        first = first.ljust(_COLUMN) + meaning.pop(0)
    return ("\n" + " " * _COLUMN).join([first, *meaning])
