"""Files beside a model damaged at random: whatever is wrong, reading says so in one way."""

import io
import json
import random
import zipfile

import numpy as np
import pytest

from scratch_forward import ArchiveError, Classifier, UnsupportedModelError
from scratch_forward.io.stored_arrays import read_arrays
from tests.support.classifiers import PREPROCESSING, write_classifier
from tests.support.damage import Contract, damaged_bytes, damaged_config


def damaged_arrays(content, draw):
    """An npz file with a value of its JSON, or one of its arrays, replaced."""
    arrays = read_arrays(content, "card")
    if draw.random() < 0.5:
        about = damaged_config(str(arrays["about"]), draw)
        arrays["about"] = np.array(about.decode())
    else:
        name = draw.choice(sorted(arrays))
        replaced = [
            *(np.zeros(0), np.zeros(3), np.zeros((7, 5)), np.full((7, 3), np.nan), np.array("a")),
            *(np.full((7, 5), 10**9), np.full((7, 5), -1), np.ones((1000, 5), np.int32)),
            *(np.zeros((7, 0)), np.array(1.5), np.ones((7, 5), bool), np.ones((7, 3), complex)),
        ]
        arrays[name] = draw.choice(replaced)
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def fuzz(count, seed, folder):
    """Damage the card and the preprocessing in turn; every load keeps to the contract."""
    card, described = write_classifier(folder), folder / "preprocessing.json"
    sound = {card: card.read_bytes(), described: described.read_bytes()}
    damage = [
        (card, damaged_bytes),
        (card, damaged_arrays),
        (described, damaged_bytes),
        (described, damaged_config),
    ]
    contract = Contract((ArchiveError, UnsupportedModelError))
    for index in range(count):
        draw = random.Random(f"{seed} {index}")
        file, spoil = damage[index % len(damage)]
        file.write_bytes(spoil(sound[file], draw))
        try:
            classifier = contract.call(lambda: Classifier.load(folder, verify=True))
            if classifier is not None:
                assert classifier.preprocessing == PREPROCESSING
        except BaseException as error:
            raise AssertionError(f"{file.name} {index} of seed {seed}") from error
        file.write_bytes(sound[file])
    return contract.outcomes


def test_a_sound_classifier_passes(tmp_path):
    write_classifier(tmp_path)
    classifier = Classifier.load(tmp_path, verify=True)
    assert classifier.preprocessing_proven
    assert classifier(["enak"])[0].class_name in PREPROCESSING.classes


@pytest.mark.parametrize("count", [200, pytest.param(600, marks=pytest.mark.slow)])
def test_damaged_files_beside_a_model_are_refused_in_one_sentence(tmp_path, count):
    outcomes = fuzz(count, seed=1, folder=tmp_path)
    assert outcomes["ArchiveError"] > count * 0.4


@pytest.mark.slow
@pytest.mark.long  # a minute, of the same as above
def test_many_damaged_files_beside_a_model_are_refused(tmp_path):
    fuzz(20_000, seed=2, folder=tmp_path)


def header(shape, descr="<f4"):
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (header((100_000, 100_000)), r"holds 0 bytes, not float32 of \(100000, 100000\)"),
        (header((2**40, 2**40)), "holds 0 bytes, not float32"),
        (header((-1,)), "holds 0 bytes, not float32"),
        (header((1,), "|O"), "holds object, not numbers or text"),
        (header((1,), "<f4,<f4"), "holds .*, not numbers or text"),
        (b"\x93NUMPY\x09\x00", "of an unknown version"),
        (b"", "magic string"),
    ],
)
def test_a_header_is_held_against_the_bytes_that_there_are(member, told):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.npy", member)
    with pytest.raises(ArchiveError, match=told) as refusal:
        read_arrays(packed.getvalue(), "the file")
    assert "\n" not in str(refusal.value)


def test_what_unpacks_to_more_is_refused_unread():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header((5_000_000,)) + bytes(20_000_000))
    with pytest.raises(ArchiveError, match=r"its 19,\d+ bytes unpack to 20,000,128"):
        read_arrays(packed.getvalue(), "the file")


def test_arrays_come_back_as_they_were(tmp_path):
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "c": np.array("text"),
        "d": np.zeros((0, 3)),
    }
    np.savez(tmp_path / "x.npz", **arrays)
    back = read_arrays(tmp_path / "x.npz", "the file")
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype
    with pytest.raises(ArchiveError, match=r"the file cannot be read: it has .* the limit is 100"):
        read_arrays(tmp_path / "x.npz", "the file", most_bytes=100)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["baik", "netral", "buruk"]},
        {"padding": "pre"},
        {"sequence_length": 6},
        {"vocabulary": [*PREPROCESSING.vocabulary[:2], *PREPROCESSING.vocabulary[:1:-1]]},
    ],
)
def test_an_exchanged_class_name_or_vocabulary_fails_the_card(tmp_path, change):
    write_classifier(tmp_path)
    stored = json.loads((tmp_path / "preprocessing.json").read_text())
    (tmp_path / "preprocessing.json").write_text(json.dumps({**stored, **change}))
    assert Classifier.load(tmp_path).preprocessing != PREPROCESSING
    with pytest.raises(ArchiveError, match=r"\(class names, vocabulary, scale\) is not what"):
        Classifier.load(tmp_path, verify=True)


def test_a_card_without_preprocessing_says_that_it_does_not_cover_it(tmp_path):
    card = write_classifier(tmp_path)
    arrays = read_arrays(card, "card")
    document = json.loads(str(arrays.pop("about")))
    old = {key: document[key] for key in ("weights_sha256", "batch")}
    del arrays["answers"]
    np.savez(card, about=np.array(json.dumps(old)), **arrays)
    assert not Classifier.load(tmp_path, verify=True).preprocessing_proven


def test_another_way_to_encode_fails_the_card(tmp_path, monkeypatch):
    write_classifier(tmp_path)
    monkeypatch.setattr("scratch_forward.preprocessing.texts.tokenize", str.split)
    with pytest.raises(ArchiveError, match=r"The answers of .* differ by up to"):
        Classifier.load(tmp_path, verify=True)


def test_a_number_of_classes_that_is_not_the_models_is_refused(tmp_path):
    write_classifier(tmp_path)
    stored = json.loads((tmp_path / "preprocessing.json").read_text())
    (tmp_path / "preprocessing.json").write_text(json.dumps({**stored, "classes": ["a", "b"]}))
    with pytest.raises(ArchiveError, match="names 2 classes, but the model beside it has 3 output"):
        Classifier.load(tmp_path)
