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
