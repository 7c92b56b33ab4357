"""Files of version 0.1 load: a run folder that was written when the package's modules lay elsewhere."""

from pathlib import Path

import keras
import numpy as np
import pytest
from packaging.version import Version

import interpnet_tf
from interpnet_tf import runs
from interpnet_tf.fitting.optimizers import FusedAdam
from interpnet_tf.runs.trained import Trained

RUN = Path(__file__).parent / "run_of_0_1"
MAPS = np.tile(np.eye(3, 4, dtype="float32")[:, None, None], (1, 2, 2, 1))
# What the version that wrote the folder said of `MAPS`: text, score, probability.
SAID = [
    ("a black bird.", -0.0627, 0.3997),
    ("a white bird.", -0.0699, 0.5143),
    ("a red bird.", -0.0962, 0.4280),
]
# Keras finds classes by these names, wherever their modules lie.
REGISTERED = {
    "AverageOverSteps",
    "Beside",
    "ClassEmbedding",
    "CompactBilinearPooling",
    "ContrastedDecoder",
    "ExplanationTokenizer",
    "FusedAdam",
    "InterpNet",
    "Introspector",
    "LRCNDecoder",
    "ListenedDecoder",
    "MeanOverWords",
    "SentenceLSTM",
    "StopGradient",
    "TransformerDecoder",
}


reads_the_run = pytest.mark.skipif(
    Version(keras.__version__) < Version("3.15"), reason="Keras 3.15 wrote it, which older ones do not read"
)


@reads_the_run
def test_a_run_says_what_it_said():
    config, model = runs.read(RUN)
    assert config == runs.RunConfig("birds.csv")
    explained = model.explain(MAPS)
    assert [explanation.text for explanation in explained] == [text for text, _, _ in SAID]
    numbers = [[explanation.score, explanation.probability] for explanation in explained]
    np.testing.assert_allclose(numbers, [row[1:] for row in SAID], atol=1e-3)
    assert isinstance(model.optimizer, FusedAdam)
    assert int(model.optimizer.iterations) == 150
    assert Trained(RUN).model.class_names == ["crow", "gull", "robin"]


@reads_the_run
def test_keras_itself_reads_the_file():
    model = keras.saving.load_model(RUN / "model.keras")
    assert isinstance(model, interpnet_tf.InterpNet)
    assert set(model.introspector.slices) == {"pooled", "class_embedding", "probabilities"}


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_registered_names_stay(name):
    import interpnet_tf.language.sentence_models
    import interpnet_tf.speakers.contrasted_decoder
    import interpnet_tf.speakers.listened_decoder  # noqa: F401

    assert keras.saving.get_registered_object(f"interpnet_tf>{name}") is not None
