import numpy as np
import pytest

from interpnet_tf.speakers import Reasons


@pytest.fixture(scope="module")
def speaker(trained, birds):
    return Reasons(trained, birds, minimum_count=3)


def test_says_one_of_the_sentences_of_the_decoder(speaker, birds):
    said = speaker.explain(birds.inputs[:3], samples=5, beams=3, seed=0)
    assert [one.label for one in said] == ["crow", "gull", "robin"]
    for one, colour in zip(said, ("black", "white", "red"), strict=True):
        assert colour in one.words
        assert one.words not in [other.words for other in one.alternatives]


def test_the_same_seed_says_the_same(speaker, birds):
    once, again = (speaker.explain(birds.inputs[:2], samples=4, beams=2, seed=3) for _ in range(2))
    assert once == again


def test_relevance_decides_where_its_weight_is_high(trained, birds, monkeypatch):
    speaker = Reasons(trained, birds, relevance_weight=1000.0, minimum_count=3)

    def last_is_relevant(x, sentences):
        return [np.arange(len(of_one)) == len(of_one) - 1 for of_one in sentences]

    monkeypatch.setattr(speaker.scores, "relevance", last_is_relevant)
    (said,) = speaker.explain(birds.inputs[:1], samples=4, beams=3, seed=0)
    candidates = [said, *said.alternatives]
    assert len(candidates) > 1
    # The draws come last, and what they alone found stands at the end.
    drawn = trained.explain(birds.inputs[:1], "top_p", n_best=4, p=1.0, seed=0)[0]
    beam = trained.explain(birds.inputs[:1], "beam", beams=3, n_best=3)[0]
    found = list(dict.fromkeys(one.words for one in (beam, *beam.alternatives, drawn, *drawn.alternatives)))
    assert said.words == found[-1]


def test_belief_is_the_share_of_sentences_that_say_the_same(speaker):
    said = ["a black bird."] * 3 + ["a red bird."]
    beliefs = speaker._beliefs(["a black bird.", "a red bird.", "."], said)
    assert beliefs == pytest.approx([3.5 / 5, 1.5 / 5, 0.01])


@pytest.mark.parametrize("name", ["relevance_weight", "belief_weight"])
def test_weights_are_checked(trained, birds, name):
    with pytest.raises(ValueError, match=f"{name} must be at least 0, got -1"):
        Reasons(trained, birds, **{name: -1})
