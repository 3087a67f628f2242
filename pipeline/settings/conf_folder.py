"""The location of the configuration files, in a checkout or an installed package."""

import warnings
from pathlib import Path

CONF = Path(__file__).resolve().parents[2] / "conf"

# These files define the keys that matter; the plug-in's own defaults below them change nothing.
warnings.filterwarnings("ignore", r"\s*'hydra/launcher/submitit_\w+' is validated against")
