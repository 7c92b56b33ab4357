"""What `evaluate` puts beside the model; its figures are those of `metrics`, tested there."""

import pytest

from interpnet_tf.runs import evaluation


@pytest.mark.usefixtures("quick_meteor")
@pytest.mark.parametrize(("yardsticks", "beside"), [(True, ["constant sentence"]), (False, [])])
def test_rows(make_model, birds, yardsticks, beside):
    result = evaluation.evaluate(make_model(), birds, birds.explanations, (1,), "mine", yardsticks)
    # A gull has a single sentence, which no other could be held against.
    assert list(result["rows"]) == ["mine", *beside]
    assert all(set(by_count) == {"1"} for by_count in result["rows"].values())
    assert result["explained"] == result["examples"] - 1


@pytest.mark.usefixtures("quick_meteor")
def test_no_more_references_are_told_of_than_there_are(make_model, birds):
    result = evaluation.evaluate(make_model(), birds, birds.explanations, yardsticks=False)
    assert list(result["rows"]["model"]) == ["2"]  # a crow has two sentences, and no bird has more
