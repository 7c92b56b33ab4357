"""Speakers: what is chosen among sentences, and that the records are the model's own."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import same_explanations

import interpnet_tf
from interpnet_tf import ExplanationDataset, ExplanationTokenizer
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.metrics import cider_d_sentences
from interpnet_tf.metrics.tokenize import words
from interpnet_tf.speakers import MinimumBayesRisk, Pragmatic, SentenceListener
from interpnet_tf.speakers.minimum_bayes_risk import agreements
from interpnet_tf.speakers.presets import consistent, recognizable


def said(text: str, *alternatives: str) -> Explanation:
    others = tuple(said(other) for other in alternatives)
    return Explanation("crow", 0, 1.0, text, tuple(text.split()), (0.0,) * len(text.split()), others)


@pytest.fixture(scope="module")
def uncertain(make_model, birds):
    """A model of few certainties. Shared: a test must not change it."""
    model = make_model()
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(birds, batch_size=20, epochs=8, verbose=0)
    return model


@pytest.mark.parametrize("rivals", [0, 2])
def test_an_indifferent_speaker_is_the_models_beam_search(trained, birds, rivals):
    speaker = Pragmatic(trained, birds, rationality=0, listening=0, rivals=rivals)
    same_explanations(speaker.explain(birds, beams=4), trained.explain(birds, "beam", beams=4, n_best=4))


@pytest.mark.parametrize("rivals", [0, 2])
def test_log_probabilities_are_those_of_the_model(trained, birds, rivals):
    """However a sentence was found, it is as probable as in the model's own, much wider beam."""
    speaker = Pragmatic(trained, birds, rationality=1.5, rivals=rivals)
    own = trained.explain(birds, "beam", beams=60, n_best=60)
    compared = 0
    for of_one, explanation in zip(own, speaker.explain(birds, beams=3), strict=True):
        known = {sentence.words: sentence for sentence in (of_one, *of_one.alternatives)}
        for sentence in (explanation, *explanation.alternatives):
            if sentence.words in known:
                like = dataclasses.replace(known[sentence.words], alternatives=sentence.alternatives)
                same_explanations([sentence], [like])
                compared += 1
    assert compared >= len(birds)


def test_what_a_speaker_learns_of_the_classes(trained, birds):
    """Words are likely of the classes they were said of, and a rival stands for itself by its mean r(x)."""
    likelihood = Pragmatic(trained, birds, listening=0).model.decoder.likelihood.numpy()
    said_of = {"black": 0, "white": 1, "red": 2, "long": 0, "small": 2}
    for word, ids in zip(said_of, trained.tokenizer.tokenize(list(said_of)).to_list(), strict=True):
        assert likelihood[ids[0]].argmax() == said_of[word]
    mean_r = Pragmatic(trained, birds, listening=0, rivals=1).model.decoder.mean_r.numpy()
    described = birds.explained()
    r = trained.standardize(trained.introspect(described.inputs)).numpy()
    for class_id in range(3):
        np.testing.assert_allclose(mean_r[class_id], r[described.labels == class_id].mean(axis=0), atol=1e-5)


def test_a_speaker_that_listens_says_what_is_recognized_best(trained, birds):
    speaker = Pragmatic(trained, birds, rationality=0, listening=1e6)
    explanations = speaker.explain(birds, beams=6)
    for explanation in explanations:
        texts = [sentence.text for sentence in (explanation, *explanation.alternatives)]
        recognized = speaker.listener.log_posteriors(texts)[:, explanation.class_id]
        assert recognized[0] == recognized.max()
        np.testing.assert_allclose(recognized, np.sort(recognized)[::-1], atol=1e-6)


def test_rationality_makes_sentences_better_recognized(uncertain, birds):
    """By a sentence classifier that plays no part in what a model of few certainties says."""
    listener = SentenceListener(uncertain.tokenizer, minimum_count=1).fit(*flat(birds))
    means = []
    for rationality in (0, 1, 4):
        speaker = Pragmatic(uncertain, birds, rationality, listening=0)
        explanations = speaker.explain(birds, beams=4)
        posteriors = listener.log_posteriors([explanation.text for explanation in explanations])
        means.append(posteriors[np.arange(len(birds)), [one.class_id for one in explanations]].mean())
    assert means[0] < means[1] < means[2]


def flat(dataset) -> tuple[list[str], np.ndarray]:
    sentences = [sentence for of_one in dataset.explanations for sentence in of_one]
    return sentences, np.repeat(dataset.labels, [len(of_one) for of_one in dataset.explanations])


def test_a_class_nobody_described_is_explained_as_the_next(trained, birds):
    """The label stays the prediction's; the words are weighed for the most probable class with sentences."""
    two = birds.subset(birds.labels != 2)
    speaker = Pragmatic(trained, two, rationality=1)
    assert speaker.known.tolist() == [0, 1]
    robins = birds.subset(birds.labels == 2)
    assert {explanation.label for explanation in speaker.explain(robins)} == {"robin"}


def test_the_model_of_a_speaker_is_saved_and_loaded(trained, birds, tmp_path):
    for rivals in (0, 1):
        model = Pragmatic(trained, birds, listening=0, rivals=rivals).model
        model.save(tmp_path / "speaker.keras")
        loaded = interpnet_tf.load(tmp_path / "speaker.keras")
        same_explanations(loaded.explain(birds, "beam"), model.explain(birds, "beam"))
        same_explanations(loaded.explain(birds, "top_p", seed=3), model.explain(birds, "top_p", seed=3))


@pytest.mark.parametrize("rivals", [0, 1])
def test_a_decoder_that_reads_no_probabilities_gets_a_target_all_the_same(make_model, birds, rivals):
    captioning = make_model(layers=["features"])
    captioning.compile("adam")
    captioning.fit(birds, verbose=0)
    speaker = Pragmatic(captioning, birds, rationality=0, listening=0, rivals=rivals)
    assert speaker.model.introspector.layer_paths == ("features", "probabilities")
    same_explanations(speaker.explain(birds, beams=3), captioning.explain(birds, "beam", beams=3, n_best=3))
    scores = speaker.model.decoder.known_scores(
        speaker.model.standardize(speaker.model.introspect(birds.inputs))
    )
    np.testing.assert_allclose(scores, captioning.classifier.predict(birds.inputs, verbose=0), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("rivals", [0, 2])
def test_the_model_of_a_speaker_is_exported(uncertain, birds, tmp_path, rivals):
    """Both exports say what it says; of a model of few certainties, that is not what the plain model says.

    All other classes are rivals: of one crow the classifier thinks gull and robin exactly alike.
    """
    pytest.importorskip("ai_edge_litert")
    from interpnet_tf.export import litert
    from interpnet_tf.export.litert_file import LiteRTModel

    model = Pragmatic(uncertain, birds, rationality=4, listening=0, rivals=rivals).model
    expected = [explanation.text for explanation in model.explain(birds)]
    assert expected != [explanation.text for explanation in uncertain.explain(birds)]

    served = tf.saved_model.load(str(model.export(tmp_path / "1"))).signatures["serving_default"]
    texts = served(x=tf.constant(birds.inputs))["explanation"].numpy().ravel()
    assert [text.decode() for text in texts] == expected
    said = LiteRTModel(litert.convert(model))("explain", birds.inputs)
    assert model.tokenizer.detokenize(said["token_ids"]) == expected


@pytest.mark.parametrize("speak", [consistent, recognizable])
def test_presets_explain_every_example(trained, birds, speak):
    explanations = speak(trained, birds, birds)
    plain = trained.explain(birds)
    assert [one.class_id for one in explanations] == [one.class_id for one in plain]
    assert all(one.text and one.alternatives for one in explanations)


@pytest.mark.parametrize("speaker", [Pragmatic, MinimumBayesRisk])
def test_a_pipeline_that_shuffles_is_read_once(trained, birds, speaker):
    """What belongs to one example stays together, in whatever order the examples come."""
    options = {"seed": 0, "temperature": 1e-3} if speaker is MinimumBayesRisk else {}
    speaker, shuffled = speaker(trained, birds), birds.to_tf(batch_size=4, shuffle=True, seed=0)
    # The classifier is certain of each example in a way of its own, by which it is known again.
    in_order, drawn = (
        sorted(speaker.explain(x, **options), key=lambda one: (one.label, one.probability))
        for x in (birds, shuffled)
    )
    same_explanations(drawn, in_order)


def test_speakers_are_deterministic(trained, birds):
    speakers = [Pragmatic(trained, birds, seed=1) for _ in range(2)]
    same_explanations(speakers[0].explain(birds), speakers[1].explain(birds))
    risk = MinimumBayesRisk(trained, birds)
    same_explanations(risk.explain(birds, samples=5, seed=1), risk.explain(birds, samples=5, seed=1))


def test_minimum_bayes_risk_says_what_most_draws_say(trained):
    """The beam's sentence is less like the draws than the draw that was made three times."""
    speaker = MinimumBayesRisk(trained)
    chosen = speaker._choose(
        said("a red bird", "a blue bird", "a red bird", "a red bird"), said("a blue bird")
    )
    assert chosen.text == "a red bird"
    assert [other.text for other in chosen.alternatives] == ["a blue bird"]


def test_minimum_bayes_risk_finds_the_sentence_in_the_middle(trained):
    """No draw is made twice, and one agrees much with two others; the beam's agrees much with all six.

    Two words of three in common and one pair of two make 7/24, one word makes 1/12, and a draw agrees with
    itself, which has no four words, by 3/4: 3/4 + 2 · 7/24 + 3 · 1/12 = 19/12 < 6 · 7/24 = 21/12.
    """
    drawn = said("a b x", "a b y", "a b z", "w b c", "v b c", "u b c")
    assert MinimumBayesRisk(trained)._choose(drawn, said("a b c")).text == "a b c"


def test_agreement_by_hand():
    """Cosines of "a a b" (2, 1) with "a b" (1, 1): clipped, (1·1 + 1·1) / (√5 · √2); of pairs, 1 / √2."""
    table = agreements([("a", "a", "b"), ("a", "b")])
    length = np.exp(-1 / 72)
    assert table[0, 1] == pytest.approx((2 / np.sqrt(10) + 1 / np.sqrt(2)) / 4 * length)
    # The other way round the reference's own counts weigh: (1·2 + 1·1).
    assert table[1, 0] == pytest.approx((3 / np.sqrt(10) + 1 / np.sqrt(2)) / 4 * length)


def test_agreement_with_weights_is_cider_d(trained, birds):
    """With a corpus of one reference an example; of "a" no weight is left, since all of them have it."""
    references = ["a red bird with a bill.", "a blue bird.", "a red crown and a red wing.", "a gull sits."]
    hypotheses = ["a red bird.", "a blue wing.", "a red crown and a bill.", "a gull sits."]
    alone = [[one] for one in references]
    corpus = ExplanationDataset(np.zeros((4, 1)), [0] * 4, ["bird"], alone, list("abcd"))
    speaker = MinimumBayesRisk(trained, corpus)
    expected = cider_d_sentences(hypotheses, alone)
    pairs = zip(hypotheses, references, strict=True)
    table = [agreements([words(one), words(other)], speaker.weight)[0, 1] for one, other in pairs]
    np.testing.assert_allclose(10 * np.array(table), expected, atol=1e-9)


def test_a_sentence_listener_hears_pairs():
    """Both classes say the same words; which word stands beside which tells them apart."""
    sentences = ["red crown and blue wing", "blue crown and red wing"] * 5
    tokenizer = ExplanationTokenizer().adapt(sentences)
    listener = SentenceListener(tokenizer).fit(sentences, [4, 9] * 5)
    posteriors = listener.log_posteriors(["red crown and blue wing", "blue crown and red wing"])
    assert listener.classes[posteriors.argmax(axis=1)].tolist() == [4, 9]
    np.testing.assert_allclose(np.exp(posteriors).sum(axis=1), 1, rtol=1e-5)


def test_a_sentence_listener_that_heard_nothing_known_is_undecided():
    sentences = ["red crown", "blue wing"] * 3
    listener = SentenceListener(ExplanationTokenizer().adapt(sentences)).fit(sentences, [0, 1] * 3)
    np.testing.assert_allclose(listener.log_posteriors(["green"]), np.log(0.5), rtol=1e-5)


def test_says_what_is_wrong(trained, birds):
    with pytest.raises(ValueError, match="listening must be at least 0"):
        Pragmatic(trained, birds, listening=-1)
    with pytest.raises(ValueError, match="train must have sentences of at least two classes, has them of 1"):
        Pragmatic(trained, birds.subset(birds.labels == 0))
    with pytest.raises(ValueError, match="the listener knows no class yet"):
        SentenceListener(trained.tokenizer).log_posteriors(["a bird"])
    with pytest.raises(ValueError, match="2 sentences and 1 labels"):
        SentenceListener(trained.tokenizer).fit(["a bird", "a gull"], [0])
    with pytest.raises(ValueError, match="at least two classes"):
        SentenceListener(trained.tokenizer).fit(["a bird", "a gull"], [0, 0])
    with pytest.raises(ValueError, match="minimum_count must be at least 1"):
        SentenceListener(trained.tokenizer, minimum_count=0)
