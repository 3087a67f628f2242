import pytest

import pipeline


@pytest.mark.parametrize("digits", [8, 32, None])
def test_a_run_answers_for_raw_texts(stored, digits):
    classifier = pipeline.load(stored.run_id[:digits] if digits else "latest")
    (answer,) = classifier(["makanannya enak sekali"])
    assert answer.class_name in classifier.preprocessing.classes
    assert classifier.preprocessing_proven


@pytest.mark.parametrize(
    ("run_id", "reason"),
    [("ffff", "run_id=ffff is not a run"), ("no id", "run_id=no id must be"), ("best", "no fini")],
)
def test_what_cannot_be_loaded_is_one_sentence(stored, run_id, reason):
    with pytest.raises(pipeline.PipelineError, match=reason) as refused:
        pipeline.load(run_id, sweep="abc" if run_id == "best" else None)
    assert len(str(refused.value).splitlines()) == 1
