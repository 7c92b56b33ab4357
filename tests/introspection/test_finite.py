"""NaN and infinity in, one sentence out: which example it is, and whether x, a weight or an overflow."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import ExplanationDataset
from interpnet_tf.runs import evaluation

L = keras.layers
VERBS = {
    "explain": lambda model, x: model.explain(x, batch_size=4),
    "beam": lambda model, x: model.explain(x, sampler="beam", beams=2, n_best=2, batch_size=4),
    "introspect": lambda model, x: model.introspect(x, batch_size=4),
    "evaluate": lambda model, x: model.evaluate(x, ["a black bird."] * len(x), verbose=0),
    "fit": lambda model, x: model.fit(x, ["a black bird."] * len(x), verbose=0),
    "score_sentences": lambda model, x: model.score_sentences(x, ["a black bird."] * len(x)),
    "predict": lambda model, x: model.predict(x, batch_size=4, verbose=0),
    "a pipeline": lambda model, x: model.introspect(tf.data.Dataset.from_tensor_slices(x).batch(4)),
    "fit a pipeline": lambda model, x: model.fit(
        tf.data.Dataset.from_tensor_slices((x, ["a black bird."] * len(x))).batch(4), verbose=0
    ),
}


@pytest.fixture(scope="module")
def compiled(make_model):
    model = make_model()
    model.compile("adam")
    return model


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_example_is_named(compiled, birds, verb, value):
    x = birds.inputs.copy()
    x[9, 2] = value
    with pytest.raises(ValueError, match=r"x holds NaN or infinity in example 9; replace"):
        VERBS[verb](compiled, x)


def test_evaluation_names_an_example_without_sentences(compiled, birds, monkeypatch):
    monkeypatch.setattr(evaluation.metrics, "score_columns", lambda *_: {})  # of the sentences
    x = birds.inputs.copy()
    x[12] = np.nan  # the last one has none
    dataset = ExplanationDataset(x, birds.labels, birds.class_names, birds.explanations, birds.ids)
    with pytest.raises(ValueError, match="in example 12"):
        evaluation.evaluate(compiled, dataset, birds.explanations, yardsticks=False)


def test_a_weight_is_named(make_model, birds):
    model = make_model()
    bias = model.classifier.get_layer("probabilities").bias
    bias.assign(np.full(bias.shape, np.nan))
    with pytest.raises(
        ValueError, match=r"weight '.*probabilities/bias' holds NaN.*train the classifier anew"
    ):
        model.explain(birds)
    with pytest.raises(ValueError, match=r"weight '.*probabilities/bias' holds NaN"):
        make_model(model.classifier)


def test_an_overflow_is_told(make_model, birds):
    classifier = keras.Sequential(
        [keras.Input((5,)), L.Lambda(lambda x: x * 1e38 * 1e6, name="large"), L.Dense(3, "softmax")]
    )
    with pytest.raises(ValueError, match=r"r\(x\) of example 0 is not finite though x.*overflow"):
        make_model(classifier, layers=["large"]).explain(np.ones((2, 5), "float32"))
