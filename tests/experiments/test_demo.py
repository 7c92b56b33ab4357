"""What the demo shows of the reasons."""

import dataclasses
from types import SimpleNamespace

import numpy as np

from interpnet_tf import Explanation
from interpnet_tf.experiments import demo


def said(*texts):
    first, *others = (Explanation("crow", 0, 1.0, text, (), ()) for text in texts)
    return Explanation(**{**vars(first), "alternatives": tuple(others)})


def test_what_carried_a_decision_is_of_the_ten_best_sentences():
    """The eleventh is left out; of three phrases the weakest is."""
    asked = []

    def phrases(x, sentences):
        asked.extend(sentences)
        return [{"short bill": 0.1, "red crown": 0.5, "white belly": 0.3}]

    texts = [f"sentence {number}." for number in range(11)]
    line = demo.carried(SimpleNamespace(phrases=phrases), np.zeros((1, 2)), [said(*texts)])
    assert line == ["carried by: red crown, white belly"]
    assert asked == [texts[:10]]


def test_the_last_network_goes_on_from_the_best(tmp_path):
    best, last = (demo.config_of(row, tmp_path) for row in ("interpnet-2", demo.REASONS))
    assert last == dataclasses.replace(best, explainer=str(tmp_path / "interpnet-2"), reason_epochs=2)
    assert (best.backbone, demo.config_of("captioning", tmp_path).backbone) == (
        None,
        str(tmp_path / "interpnet-2"),
    )
