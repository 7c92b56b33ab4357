"""What the demo shows of the reasons."""

from types import SimpleNamespace

import numpy as np

from interpnet_tf import Explanation
from interpnet_tf.experiments import demo
from interpnet_tf.language.concepts import Concepts


def said(*texts):
    first, *others = (Explanation("crow", 0, 1.0, text, (), ()) for text in texts)
    return Explanation(**{**vars(first), "alternatives": tuple(others)})


def test_no_sentence_states_the_same_in_two_words():
    """Red and crimson are said of the same birds, and never in one sentence."""
    red = ["a red bird.", "this bird is red.", "a crimson bird.", "this bird is crimson."]
    concepts = Concepts.learn([red, ["a blue bird.", "this bird is blue."]] * 10)
    found = demo.without_repetition(
        concepts, said("a red bird is a crimson bird.", "a red bird.", "a blue bird.")
    )
    assert found.text == "a red bird."
    assert demo.without_repetition(concepts, said("a blue bird.", "a red bird.")).text == "a blue bird."
    only = said("a red bird is a crimson bird.")
    assert demo.without_repetition(concepts, only) is only


def test_what_carried_a_decision_is_of_the_ten_best_sentences():
    """The eleventh is left out; of three phrases the third is."""
    asked = []

    def phrases(x, sentences):
        asked.extend(sentences)
        return [{"short bill": 0.1, "red crown": 0.5, "white belly": 0.3}]

    speaker = SimpleNamespace(scores=SimpleNamespace(phrases=phrases))
    texts = [f"sentence {number}." for number in range(11)]
    assert demo.carried(speaker, np.zeros((1, 2)), [said(*texts)]) == ["carried by: red crown, white belly"]
    assert asked == [texts[:10]]
