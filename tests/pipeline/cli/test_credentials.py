import os

import pytest

from pipeline.cli.credentials import take_credentials
from pipeline.settings import SettingsError
from pipeline.settings.mlflow_environment import PASSWORD, URI, USERNAME


@pytest.fixture
def typed(monkeypatch):
    """Type a command: gives what is left of it, the user name and the password."""
    for name in (URI, USERNAME, PASSWORD):
        monkeypatch.setenv(name, "before")
        monkeypatch.delenv(name)

    def type_(*words):
        return take_credentials(words), os.environ.get(USERNAME), os.environ.get(PASSWORD)

    return type_


@pytest.mark.parametrize("word", ["tracking.uri={}", "to={}", "++tracking.uri='{}'"])
def test_they_are_taken_off_the_command_line(typed, word):
    left = typed(word.format("http://me:s%40cret@host:5000/x"), "units=1")
    assert left == ([word.format("http://host:5000/x"), "units=1"], "me", "s@cret")


def test_a_password_may_hold_an_at_sign(typed):
    assert typed("to=https://me:s@c:ret@host") == (["to=https://host"], "me", "s@c:ret")


def test_the_variable_of_mlflow_loses_them_too(typed, monkeypatch):
    monkeypatch.setenv(URI, "http://me:secret@host")
    assert typed() == ([], "me", "secret")
    assert os.environ[URI] == "http://host"


def test_an_address_without_them_and_a_text_that_is_asked_are_left(typed):
    words = ["tracking.uri=http://host:5000", "see http://me:secret@host"]
    assert typed(*words) == (words, None, None)


def test_two_passwords_are_one_too_many(typed):
    with pytest.raises(SettingsError, match="there are several"):
        typed("tracking.uri=http://me:a@host", "to=http://me:b@other")
