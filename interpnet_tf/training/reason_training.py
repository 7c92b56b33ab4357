"""Training of a decoder to say what carried the classifier's decision."""

from __future__ import annotations

import warnings
from typing import Any

from interpnet_tf.attribution.reason_scores import ReasonScores
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.model import InterpNet
from interpnet_tf.support.checks import check_number, check_whole
from interpnet_tf.training.policy_gradient import check_data, train_policy
from interpnet_tf.training.rewards import CiderD, DecisionRelevance, WeightedSum


def train_reasons(
    model: InterpNet,
    train: ExplanationDataset,
    valid: ExplanationDataset,
    epochs: int = 4,
    relevance_weight: float = 4.0,
    fluency_weight: float = 0.3,
    batch_size: int = 64,
    learning_rate: float = 5e-4,
    **options: Any,
) -> list[dict[str, float]]:
    """Trains the decoder of `model` to say what carried the classifier's decision, in the words of people.

    A decoder that learned from people's sentences says what they say of such examples, which need not be what
    the classifier decided by. Here it is paid for phrases that are true of the example and on which the
    decision rests (`rewards.DecisionRelevance`), and for n-grams that people use of it (`rewards.CiderD`).
    The classifier stays as it is. Afterwards the greedy sentence tells the reason, and so does an export.

    Args:
        model: an `InterpNet` that has learned sentences before; it is compiled anew.
        train, valid: data with several English sentences an example.
        epochs: passes over the examples.
        relevance_weight, fluency_weight: of the two rewards.
        batch_size, learning_rate: see `train_policy`.
        **options: further arguments of `train_policy`, such as `seed` and `directory`.

    Returns:
        One dict an epoch, see `train_policy`.

    Raises:
        ValueError: if an argument is out of its range, or as of `ReasonScores`.

    Example:

    ```python
    model.fit(train, validation_data=valid)
    train_reasons(model, train, valid)
    print(model.explain(test.inputs[:1])[0])
    ```

    References:
    - [Rennie et al. 2017](https://arxiv.org/abs/1612.00563), self-critical training
    """
    check_data(train, valid)
    check_whole("epochs", epochs, 1)
    weights = {"relevance_weight": relevance_weight, "fluency_weight": fluency_weight}
    for name, weight in weights.items():
        check_number(name, weight, 0)
    train, valid = train.explained(), valid.explained()
    reward = WeightedSum(
        [
            (DecisionRelevance(model.tokenizer, ReasonScores(model, train)), relevance_weight),
            (CiderD(model.tokenizer, train.explanations), fluency_weight),
        ]
    )
    history = train_policy(
        model,
        train,
        valid,
        reward,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        **options,
    )
    if not any(of_epoch["val_reward"] for of_epoch in history):
        warnings.warn(
            "no sentence said of valid earned anything: none says what its sentences say; train the decoder "
            "longer before, and note that phrases are read of English sentences",
            stacklevel=2,
        )
    return history
