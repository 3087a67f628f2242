"""A real MLflow server that asks for a password, which is then found nowhere."""

from importlib.util import find_spec

import pytest

from pipeline.settings.mlflow_environment import PASSWORD, URI, USERNAME
from tests.support.commands import TINY, call, serve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("flask_wtf"), reason="Flask-WTF, of the extra server"),
]

NAME, SECRET = "admin", "correct-horse-battery"
COMMANDS = [
    ("pipeline.train", "model=lstm", "dry_run=true"),
    ("pipeline.runs",),
    ("pipeline.parity", "run_id=abc"),
    ("pipeline.predict", "run_id=abc", "hello"),
]


@pytest.fixture(scope="module")
def protected(tmp_path_factory):
    """The server's folder and its address as host and port."""
    folder = tmp_path_factory.mktemp("protected")
    (folder / "auth.ini").write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder}/auth.db\n"
        f"admin_username = {NAME}\nadmin_password = {SECRET}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        "auth_cache_ttl_seconds = 600\n"  # else each request hashes the password: 0.3 s of a core
    )
    artifacts = ["--artifacts-destination", str(folder / "artifacts"), "--app-name", "basic-auth"]
    secrets = {
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of this test",
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
    }
    with serve(folder, f"sqlite:///{folder}/mlflow.db", *artifacts, **secrets) as address:
        yield folder, address.removeprefix("http://")


def where(host, credentials=""):
    return ["tracking=server", f"tracking.uri=http://{credentials}{host}"]


def test_a_sweep_and_a_prediction_with_a_password_that_is_found_nowhere(protected, tmp_path):
    folder, host = protected
    arguments = ["model=lstm", "units=2,3", *TINY, *where(host, f"{NAME}:{SECRET}@")]
    done = call("pipeline.train", *arguments, cwd=tmp_path, own_workers=True)
    assert done.returncode == 0, done.stdout + done.stderr
    known = {USERNAME: NAME, PASSWORD: SECRET}
    listed = call("pipeline.runs", *where(host), "--csv", cwd=tmp_path, **known)
    run_id = listed.stdout.splitlines()[1].split(",")[0]
    in_uri = {URI: f"http://{NAME}:{SECRET}@{host}"}
    for options, environment in ((where(host), known), ([], in_uri)):
        asked = call(
            "pipeline.predict", f"run_id={run_id}", *options, "bagus", cwd=tmp_path, **environment
        )
        assert asked.returncode == 0, asked.stderr
        done.stdout += asked.stdout + asked.stderr
    assert SECRET not in done.stdout + done.stderr + listed.stdout
    kept = [tmp_path, folder / "artifacts", folder / "mlflow.db"]
    files = [file for one in kept for file in (one.rglob("*") if one.is_dir() else [one])]
    assert any(file.name == "overrides.yaml" for file in files)
    assert not [file for file in files if file.is_file() and SECRET.encode() in file.read_bytes()]


def refusal(host, tmp_path, command, credentials=""):
    """The one sentence that a refused command ends with."""
    module, *arguments = command
    done = call(module, *arguments, *where(host, credentials), cwd=tmp_path)
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    return sentence


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one[0])
def test_a_wrong_password_is_one_sentence(protected, tmp_path, command):
    _, host = protected
    sentence = refusal(host, tmp_path, command, f"{NAME}:wrong@")
    assert sentence.startswith(f"tracking.uri=http://{host}: the server refuses")


def test_no_password_is_one_sentence(protected, tmp_path):
    _, host = protected
    sentence = refusal(host, tmp_path, ("pipeline.runs",))
    assert sentence.startswith(f"tracking.uri=http://{host}: the server asks for")
