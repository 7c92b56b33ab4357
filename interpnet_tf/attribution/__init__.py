"""Which layers of the classifier made each word of an explanation, and its class, as probable as it is."""

import functools

from interpnet_tf.attribution import deciding, heat_maps, methods
from interpnet_tf.attribution.attribution import Attribution
from interpnet_tf.attribution.decision_attribution import DecisionAttribution
from interpnet_tf.attribution.decisions import attribute_decision
from interpnet_tf.attribution.in_float32 import InFloat32
from interpnet_tf.attribution.methods import METHODS
from interpnet_tf.attribution.reason_scores import ReasonScores
from interpnet_tf.attribution.words import attribute
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.generation.scoring import score_ids
from interpnet_tf.generation.traces import Traces

__all__ = [
    "METHODS",
    "Attribution",
    "DecisionAttribution",
    "ReasonScores",
    "attribute",
    "attribute_decision",
    "trace",
]


def trace(model: ExplainingModel) -> None:
    """Prepares the graphs that attributions run; the model's parts must be there."""
    model._in_float32 = exact = InFloat32(model)
    is_exact = model.decoder.compute_dtype == "float32"
    model._score_in_float32 = model._score if is_exact else Traces(functools.partial(score_ids, exact))
    model._path_gradients = Traces(functools.partial(methods.path_gradients, exact))
    model._position_shares = Traces(functools.partial(heat_maps.position_shares, model))
    model._decision_gradients = Traces(functools.partial(deciding.decision_gradients, model), most=64)
    model._decide = Traces(functools.partial(deciding.log_probabilities_of_classes, model))
