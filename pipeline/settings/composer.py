"""Composes configurations as Hydra does, but reads the files of each group choice only once.

Hydra first merges the files of the selected groups, which takes tens of milliseconds, and then sets
single keys. The jobs of a sweep mostly differ in keys, so the merged files are cached: hundreds of
jobs are composed in about the time of one, by the same steps as in Hydra.
"""

import pickle
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.functions.lookup import is_own
from pipeline.settings.schema import is_weights_file
from pipeline.settings.settings_error import SettingsError
from pipeline.settings.suggest import choices, did_you_mean, not_offered

CONF = Path(__file__).resolve().parents[2] / "conf"  # in a checkout or an installed package

# These files define the keys that matter; the plug-in's own defaults below them change nothing.
warnings.filterwarnings("ignore", r"\s*'hydra/launcher/submitit_\w+' is validated against")

_NEEDS_QUOTES = (
    "a value with spaces, commas, brackets, parentheses, quotes or equals signs needs quotes "
    "of its own"
)


class Composer:
    """Composes the configuration of one primary file for any overrides."""

    def __init__(
        self, loader: ConfigLoader, config_name: str | None, hydra_overrides: Sequence[str] = ()
    ):
        """Create a composer on a Hydra config loader.

        Args:
            loader: knows the search path, including `--config-dir`.
            config_name: the primary file.
            hydra_overrides: overrides of Hydra's own node, such as `hydra.searchpath=[...]`.
        """
        self._loader, self._name, self._hydra = loader, config_name, list(hydra_overrides)
        self._files = cache(self._merge_files)
        self._options = cache(self._list_options)

    def parse(self, lines: Sequence[str]) -> list[Override]:
        """Parse overrides as on the command line; an error names the invalid line.

        Raises:
            SettingsError: with one sentence per invalid line.
        """
        parser, faults, parsed = OverridesParser.create(self), [], []  # type: ignore[arg-type]
        for line in lines:
            try:
                parsed += parser.parse_overrides([line])
            except HydraException:
                key, _, value = line.partition("=")
                faults.append(
                    f"`{line}` cannot be read: {_NEEDS_QUOTES}, as in '{key}=\"{value}\"'."
                )
        if faults:
            raise SettingsError(faults)
        return parsed

    def get_group_options(
        self, group: str, results_filter: ObjectType | None = ObjectType.CONFIG
    ) -> list[str]:
        """Return the options of a group; Hydra's parser also calls this to expand `glob(*)`."""
        return self._options(group, results_filter)

    def _list_options(self, group: str, results_filter: ObjectType | None) -> list[str]:
        return self._loader.get_group_options(group, results_filter, self._name, self._hydra)

    def is_choice(self, override: Override) -> bool:
        """Return whether an override selects a file of a group, as opposed to setting a key."""
        if isinstance(override.value(), dict):
            return False
        return bool(self.get_group_options(override.key_or_group, None))

    def files(self, choices: Sequence[Override]) -> DictConfig:
        """Return a new copy of the merged files of the selected groups, without `hydra`.

        Unpickling takes a seventh of the time of OmegaConf's copy, which is a deep copy.

        Raises:
            SettingsError: when they cannot be merged.
        """
        merged = pickle.loads(self._files(tuple(one.input_line or "" for one in choices)))
        assert isinstance(merged, DictConfig)
        return merged

    def hydra_faults(self) -> list[str]:
        """Return one sentence per override of Hydra's own node that names an unknown key."""
        overrides = self.parse(self._hydra)
        chosen = [one for one in overrides if self.is_choice(one)]
        faults = [
            not_offered(one.key_or_group, str(one.value()), offered)
            for one in chosen
            if one.value() not in (offered := self.get_group_options(one.key_or_group))
        ]
        if faults:
            return faults
        lines = [one.input_line or "" for one in chosen]
        whole = self._loader.load_configuration(self._name, lines, run_mode=RunMode.MULTIRUN)
        for override in overrides:
            node, _, name = override.key_or_group.rpartition(".")
            known = OmegaConf.select(whole, node) if node else None
            if override in chosen or override.is_add() or override.is_force_add():
                continue
            if isinstance(known, DictConfig) and name not in known:
                names = [str(key) for key in known if not str(key).startswith("_")]
                faults.append(
                    f"`{override.key_or_group}` is not an option{did_you_mean(name, names)}; "
                    f"{node} has {choices(names)}."
                )
        return faults

    def _merge_files(self, choices: tuple[str, ...]) -> bytes:
        """Return the merged files, pickled."""
        try:
            whole = self._loader.load_configuration(
                self._name, [*self._hydra, *choices], run_mode=RunMode.RUN
            )
        except (HydraException, OmegaConfBaseException) as error:
            raise SettingsError([one_line(error)]) from error
        if "${hydra:" in OmegaConf.to_yaml(whole):
            HydraConfig.instance().set_config(whole)
        # Hydra's own node is the larger part; it would be copied and resolved for every job.
        own = OmegaConf.masked_copy(whole, [str(key) for key in whole if key != "hydra"])
        return pickle.dumps(own)


def set_key(config: DictConfig, override: Override) -> None:
    """Set one key of a composed configuration, as Hydra does.

    Raises:
        SettingsError: when the key does not accept the value.
    """
    try:
        ConfigLoaderImpl._apply_overrides_to_config([override], config)
    except (HydraException, OmegaConfBaseException) as error:
        reason = one_line(error.__cause__ or error)
        raise SettingsError([f"{override.input_line} cannot be set: {reason}."]) from error


def resolved(config: DictConfig) -> dict[str, Any]:
    """Return a composed configuration as plain values.

    Raises:
        SettingsError: when a value refers to a key that does not exist.
    """
    try:
        return plain_values(config)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None)
        written = OmegaConf.to_container(config, resolve=False)
        for part in str(key).split(".") if key else ():
            written = written.get(part) if isinstance(written, dict) else None
        reason = str(error).splitlines()[0].rstrip(".")
        raise SettingsError([f"{key}={written} cannot be resolved: {reason}."]) from error


def one_line(error: BaseException) -> str:
    """Return an error's message without line breaks."""
    return " ".join(str(error).split())


def composer(
    config_name: str, config_dir: str | None = None, hydra_overrides: Sequence[str] = ()
) -> Composer:
    """Return a composer for use outside of a Hydra program.

    Args:
        config_name: the primary file.
        config_dir: the user's folder of configuration files, in addition to the built-in one.
        hydra_overrides: overrides of Hydra's own node.

    Raises:
        SettingsError: when the folder does not exist.
    """
    setup_globals()
    return Composer(ConfigLoaderImpl(search_path(config_dir)), config_name, hydra_overrides)


def search_path(config_dir: str | None) -> ConfigSearchPath:
    """Return where Hydra looks for configuration files: `conf/`, and the user's own folder first.

    Raises:
        SettingsError: when the user's folder does not exist.
    """
    path = create_config_search_path(str(CONF))
    if config_dir is not None:
        folder = Path(config_dir).absolute()
        if not folder.is_dir():
            raise SettingsError([f"--config-dir {config_dir} is not a folder."])
        anchor = SearchPathQuery(provider="schema")
        path.prepend("command-line", f"file://{folder}", anchor)
    return path


def plain_values(config: DictConfig) -> dict[str, Any]:
    """Return a composed configuration as plain Python values, resolved, without `hydra`."""
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    plain = {str(key): value for key, value in values.items() if key != "hydra"}
    _make_absolute(plain.get("dataset"))
    _make_absolute(plain.get("model"))
    if is_weights_file(given := plain.get("initial_weights")):
        plain["initial_weights"] = _absolute(given)
    return plain


def _absolute(path: object) -> str:
    return str(Path(str(path)).expanduser().absolute())


def _make_absolute(dataset: object) -> None:
    """Make the path of the user's own data absolute, so that it is valid in any process."""
    if not isinstance(dataset, dict) or is_own(dataset.get("name")):
        return  # the arguments of a function have a meaning of its own
    if dataset.get("path") not in (None, ""):
        dataset["path"] = _absolute(dataset["path"])
