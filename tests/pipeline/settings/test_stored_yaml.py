import tracemalloc

import pytest
import yaml

from pipeline.settings.stored_yaml import StoredYamlError, read_stored_yaml

LAUGHS = "\n".join(
    ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
)
MERGES = "\n".join(
    [
        "a0: &a0 {x: 1}",
        *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9)),
    ]
)


def test_what_a_run_stores_is_read(composed):
    values = composed("model=cnn", "filters=[16,16]")
    assert read_stored_yaml(yaml.safe_dump(values, sort_keys=False)) == values
    assert read_stored_yaml("") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LAUGHS, "alias"),
        (MERGES, "alias"),
        ("&a [*a]", "alias"),
        ("[" * 99, "nests"),
        ("[" * 9999, "depth"),
        ("{a: " * 99, "nests"),
        ("1:" * 50_000 + "1", "a value has more than"),
        ("9" * 10_000, "a value has more than"),
        ("9" * 8_000, "digits"),
        ("- x\n" * 100_000, "more than 262,144 characters"),
        ("a: [", "did not find"),
        ("\0", "character"),
        ("!!python/object:os.system {}", "could not determine a constructor"),
        ("2026-99-99", "month"),
        ("{[1]: 2, {}: 3}", "unhashable"),
    ],
    ids=lambda text: text[:12],
)
def test_what_no_run_stores_is_refused_at_once(text, reason):
    tracemalloc.start()
    try:
        with pytest.raises(StoredYamlError, match=reason):
            read_stored_yaml(text)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
