import hashlib
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from pipeline.data import DatasetError, large_arrays, load

OPTIONS = {
    "height": 4,
    "width": 6,
    "colour": True,
    "validation_share": 0.1,
    "test_share": 0.2,
    "split_seed": 0,
}


def draw(folder, count, value=0, size=(4, 6)):
    """Write images, each of one shade of its own, and return the shades."""
    folder.mkdir(parents=True, exist_ok=True)
    shades = range(value, value + count)
    for shade in shades:
        Image.fromarray(np.full((*size, 3), shade, np.uint8)).save(folder / f"{shade}.png")
    return set(shades)


@pytest.fixture
def photos(tmp_path):
    """A folder with two classes of ten images each."""
    draw(tmp_path / "photos/kucing", 10)
    draw(tmp_path / "photos/anjing", 10, 100)
    return tmp_path / "photos"


def read(folder, **changes):
    return load(
        "image_folder", data_dir=folder.parent / "data", path=str(folder), **OPTIONS | changes
    )


def shades(split):
    return {round(float(image.mean()) * 255) for image in split.inputs}


def test_folders_are_classes_and_images_are_divided(photos):
    loaded = read(photos)
    assert loaded.classes == ("anjing", "kucing")
    assert [len(split) for split in loaded.splits.values()] == [14, 2, 4]
    seen = [shades(split) for split in loaded.splits.values()]
    assert set.union(*seen) == {*range(10), *range(100, 110)}
    assert sum(map(len, seen)) == 20
    for split in loaded.splits.values():
        bright = split.inputs.mean(axis=(1, 2, 3)) > 50 / 255
        assert (bright == (split.labels == 0)).all()
    assert loaded.train.inputs.shape[1:] == loaded.preprocessing.input_shape == (4, 6, 3)
    assert loaded.train.inputs.dtype == np.float32


def test_is_the_same_each_time(photos):
    assert read(photos).fingerprints == read(photos).fingerprints
    assert read(photos, split_seed=1).fingerprints != read(photos).fingerprints


@pytest.mark.parametrize("validation", ["validation", "valid", "val", None])
def test_folders_of_parts_above_the_classes(tmp_path, validation):
    parts = {"train": 10, validation: 3, "test": 4}
    for part, count in parts.items():
        if part:
            draw(tmp_path / "photos" / part / "a", count)
            draw(tmp_path / "photos" / part / "b", count, 100)
    loaded = read(tmp_path / "photos")
    expected = [20, 6, 8] if validation else [18, 2, 8]
    assert [len(split) for split in loaded.splits.values()] == expected


def test_what_people_and_systems_leave_beside_images_is_passed_over(photos):
    plain = read(photos)
    (photos / "README.txt").write_text("my photos")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (photos / name).write_text("")
        (photos / "kucing" / name).write_text("")
    (photos / ".cache").mkdir()
    assert read(photos).fingerprints == plain.fingerprints


def test_says_sizes_and_checksums(photos):
    assert "photos, all of 4x6 pixels, divided by a seeded" in read(photos).describe()
    draw(photos / "kucing", 1, 20, size=(9, 12))
    loaded = read(photos, height=3, width=3)
    assert "4x6 to 9x12 pixels resized to 3x3" in loaded.describe()
    content = (photos / "kucing/20.png").read_bytes()
    assert loaded.checksums["photos/kucing/20.png"] == hashlib.sha256(content).hexdigest()
    assert len(loaded.checksums) == 21


def test_copies_stay_in_one_part(photos):
    for number in range(10):
        shutil.copy(photos / f"kucing/{number}.png", photos / f"kucing/copy{number}.png")
    loaded = read(photos)
    assert loaded.copies == {"validation": 0, "test": 0}
    assert [np.bincount(split.labels).tolist() for split in loaded.splits.values()] == [
        [7, 14],
        [1, 2],
        [2, 4],
    ]


def test_sixteen_bits_that_are_not_used_are_told(photos):
    for shade in range(10):
        deep = np.full((4, 6), 4095 - 257 * shade, np.uint16)
        Image.fromarray(deep).save(photos / f"kucing/{shade}.png")
    assert "16-bit images reach only 4,095 of 65,535 and come out dark" in read(photos).describe()


def test_grey_and_upper_case_endings(photos):
    (photos / "kucing/0.png").rename(photos / "kucing/0.PNG")
    Image.new("L", (6, 4)).save(photos / "kucing/x.JPG", "JPEG")
    loaded = read(photos, colour=False)
    assert loaded.preprocessing.input_shape == (4, 6, 1)
    assert sum(map(len, loaded.splits.values())) == 21


def test_a_mirror_image_keeps_its_class_only_when_told(photos):
    assert not read(photos).flips
    assert read(photos, flips=True).flips


def spoil(photos, how):
    match how:
        case "one image":
            draw(photos / "burung", 1, 200)
        case "corrupted":
            (photos / "kucing/3.png").write_bytes((photos / "kucing/3.png").read_bytes()[:50])
        case "no images":
            (photos / "burung").mkdir()
        case "loose image":
            (photos / "kucing/3.png").rename(photos / "3.png")
        case "other file":
            (photos / "kucing/3.webp").write_bytes(b"RIFF")
        case "folder in a class":
            (photos / "kucing/lain").mkdir()
        case "pipe":
            os.mkfifo(photos / "kucing/x.png")
        case "not UTF-8":
            (photos / "kucing").rename(photos / os.fsdecode(b"ku\xe7ing"))
        case "train alone":
            draw(photos / "train/a", 3)
        case "no classes":
            for name in ("kucing", "anjing"):
                (photos / name).rename(photos.parent / name)
        case "one class":
            (photos / "kucing").rename(photos.parent / "kucing")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("one image", "The class 'burung' has 1 example: expected at least 3, to hold out 1 and 1"),
        ("corrupted", "photos/kucing/3.png cannot be read as an image: "),
        ("no images", "photos/burung is empty: expected images of its class"),
        ("loose image", "photos/3.png lies in no class's folder: expected all images in one"),
        ("other file", "kucing/3.webp is no image file: expected only .png, .jpg, .jpeg files"),
        ("folder in a class", "kucing/lain is a folder: expected only .png, .jpg, .jpeg files"),
        ("pipe", "kucing/x.png cannot be read: it is a pipe or a device, not a file"),
        ("not UTF-8", r"the class 'ku\\udce7ing': expected a name in UTF-8"),
        ("train alone", "has the folders anjing, kucing, train: expected a folder for each class,"),
        ("no classes", "photos has no folders: expected one for each class"),
        ("one class", "photos has 1 class .'anjing'.: expected at least 2"),
    ],
)
def test_a_fault_is_one_sentence_with_its_place(photos, how, told):
    spoil(photos, how)
    with pytest.raises(DatasetError, match=told) as refusal:
        read(photos)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "changes", "told"),
    [
        ("none", {}, r"none does not exist\."),
        ("photos/kucing/3.png", {}, "3.png is a file: expected a folder with a folder for each"),
        ("photos/kucing", {}, r"kucing/0.png lies in no class's folder"),
        (
            "photos",
            {"classes": ("kucing", "burung")},
            "anjing has the label 'anjing': expected one",
        ),
    ],
)
def test_a_wrong_path_or_class_is_one_sentence(photos, path, changes, told):
    with pytest.raises(DatasetError, match=told):
        read(photos.parent / path, **changes)


def test_images_past_a_size_are_decoded_into_a_mapped_file(photos, monkeypatch):
    plain = read(photos)
    monkeypatch.setattr(large_arrays, "LARGE", 100)
    mapped = read(photos)
    assert isinstance(mapped.train.inputs, np.memmap)
    assert mapped.fingerprints == plain.fingerprints
