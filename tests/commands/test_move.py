import pytest

from tests.support.commands import call


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "to=... is needed: the address of an MLflow server."),
        (["to=ftp://x"], "to=ftp://x must be an address that starts with http:// or https://."),
        (["tp=http://x"], "`tp` is not an option of this command."),
    ],
)
def test_a_faulty_command_is_one_sentence(tmp_path, arguments, sentence):
    done = call("pipeline.move", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr.strip()) == (2, sentence)
    assert not list(tmp_path.iterdir())
