import keras
import numpy as np
import pytest

from interpnet_tf import Introspector
from interpnet_tf.introspection.cutting import cut
from interpnet_tf.introspection.probabilities import output_kind


@pytest.fixture
def classifier():
    """Its output reads its input beside a hidden layer."""
    x = keras.Input((2,), name="x")
    hidden = keras.layers.Dense(3, name="hidden")(x)
    beside = keras.layers.Concatenate(name="beside")([x, hidden])
    return keras.Model(x, keras.layers.Dense(4, "softmax", name="probabilities")(beside))


def test_a_part_computes_what_the_whole_does(classifier):
    part = cut([classifier.input, classifier.get_layer("hidden").output], classifier.output)
    x = np.array([[1, 2], [3, -1]], "float32")
    hidden = keras.Model(classifier.input, classifier.get_layer("hidden").output)(x)
    np.testing.assert_allclose(part([keras.ops.array(x), hidden]), classifier(x), rtol=1e-6)


def test_what_is_missing_is_named(classifier):
    with pytest.raises(ValueError, match="not connected"):
        cut([classifier.get_layer("hidden").output], classifier.output)


@pytest.mark.parametrize(
    "do",
    [
        lambda classifier: cut([classifier.input, classifier.get_layer("hidden").output], classifier.output),
        lambda classifier: Introspector(classifier, ["x", "hidden"]).intervene(
            np.zeros((1, 2)), {}, also=["x"]
        ),
        output_kind,
    ],
)
def test_the_classifier_can_be_saved_afterwards(classifier, do, tmp_path):
    do(classifier)
    classifier.save(tmp_path / "classifier.keras")
    x = np.array([[1, 2]], "float32")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "classifier.keras")(x), classifier(x))
