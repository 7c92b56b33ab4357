"""What defines a run."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from interpnet_tf import classifiers, decoders
from interpnet_tf.data import loading
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.support.json_files import read_as
from interpnet_tf.training.stages import DECODER_RATE, check_schedule

_DECODER_OPTIONS = {
    "lrcn": {"dropout": 0.5},
    "transformer": {"dropout": 0.1},
}
# Of whole numbers: what fits 32 bits, less what layers add to a seed for seeds of their own.
_HIGHEST = 2**31 - 1 - 1000


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What defines a run; the same config gives the same run.

    Args:
        data: name of a data set or path of a records file, see `data.loading.load`.
        root: folder of a data set that is not embedded.
        variant: a key of `classifiers.HIDDEN_LAYERS`: which network of the paper; `None` only with
            `classifier`.
        decoder: name of the decoder.
        seed: of everything random.
        data_seed: of the draws that the data set makes; `None` is `seed`. Runs of several seeds on the same
            examples share one.
        epochs: the most epochs of the explainer.
        cool_down: how many epochs at the end of the explainer's training halve its learning rate.
        classifier_epochs: the most epochs of the classifier.
        classifier_dropout: share of the classifier's hidden activations that its training drops.
        batch_size: sentences, or examples, a batch.
        learning_rate: of the explainer's Adam at the start, or at the top of the cosine.
        schedule: of the explainer's learning rate, `"paper"` or `"cosine"`, see `training.train_explainer`.
        warmup_epochs: how many epochs the cosine's rate takes to rise.
        label_smoothing: of the explainer's words, see `InterpNet.compile`.
        units: width of the decoder's layers; `None` follows from the vocabulary, see `decoders.units_for`.
        dropout: of the decoder; `None` is 0.5 for `"lrcn"`, which learns a small data set by heart with the
            paper's 0.2, and 0.1 for `"transformer"`, which drops at many more places.
        minimum_count: a word must occur this often in the training sentences to be learnt.
        max_length: the most words of an explanation.
        mixed_precision: whether the decoder multiplies in bfloat16.
        backbone: a finished run on the same images, or a `.keras` file of its classifier, whose convolutional
            layers are taken as they are, so that the dense layers alone are trained; `None` trains all.
        classifier: a `.keras` file of a trained classifier to explain, or a run whose classifier that is;
            `None` trains one.
        layers: the layers that form r(x), see `InterpNet`; `None` takes those of `variant`, which the
            classifier must have then, and without a variant what `InterpNet` takes by itself.
        output: what `classifier` gives, see `InterpNet`; `None` finds out.
        explainer: a finished run that is trained on with `reason_epochs`, as it is; `None` trains one.
        reason_epochs: how many epochs afterwards pay the explainer for saying what carried the decision, see
            `training.train_reasons`; 0 leaves it as people's sentences made it.
        options: further arguments of the data set's `load`.
    """

    data: str
    root: str | None = None
    variant: str | None = "interpnet-2"
    decoder: str = "lrcn"
    seed: int = 0
    epochs: int = 30
    cool_down: int = 0
    classifier_epochs: int = 40
    classifier_dropout: float = 0.0
    batch_size: int = 32
    learning_rate: float = DECODER_RATE
    schedule: str = "paper"
    warmup_epochs: float = 0.0
    label_smoothing: float = 0.0
    units: int | None = None
    dropout: float | None = None
    minimum_count: int = 2
    max_length: int = 32
    mixed_precision: bool = False
    backbone: str | None = None
    classifier: str | None = None
    layers: list[str] | None = None
    output: str | None = None
    data_seed: int | None = None
    explainer: str | None = None
    reason_epochs: int = 0
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.variant is not None:
            classifiers.variant_layers(self.variant)
        elif self.classifier is None:
            raise ValueError("variant must be given where no classifier is: it says what to train")
        if self.classifier is not None and self.backbone is not None:
            raise ValueError("backbone is for a classifier to be trained; leave it out where one is given")
        if self.explainer is not None and not self.reason_epochs:
            raise ValueError("reason_epochs must be at least 1 where an explainer is to be trained on, got 0")
        least = {"epochs": 1, "classifier_epochs": 1, "batch_size": 1, "minimum_count": 1, "max_length": 2}
        least |= {"seed": 0, "data_seed": 0, "reason_epochs": 0}
        for name, lowest in least.items():
            value = getattr(self, name)
            if value is not None and not lowest <= value <= _HIGHEST:
                raise ValueError(f"{name} must be at least {lowest} and at most {_HIGHEST}, got {value}")
        if not 0 <= self.cool_down < self.epochs:
            raise ValueError(f"cool_down must lie between 0 and epochs - 1, got {self.cool_down}")
        if not 0 <= self.classifier_dropout < 1:
            raise ValueError(
                f"classifier_dropout must be at least 0 and less than 1, got {self.classifier_dropout}"
            )
        if not 0 < self.learning_rate < 1:
            raise ValueError(f"learning_rate must lie between 0 and 1, got {self.learning_rate}")
        check_schedule(self.schedule, self.epochs, self.cool_down, self.warmup_epochs)
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(
                f"label_smoothing must be at least 0 and less than 1, got {self.label_smoothing}"
            )
        self.decoder_of(vocabulary_size=5)  # names a wrong option before a classifier is trained in vain

    def decoder_of(self, vocabulary_size: int) -> decoders.ExplanationDecoder:
        """Returns a new decoder of this run."""
        given = {"units": self.units, "dropout": self.dropout}
        options = _DECODER_OPTIONS.get(self.decoder, {}) | {k: v for k, v in given.items() if v is not None}
        dtype = "mixed_bfloat16" if self.mixed_precision else "float32"
        return decoders.get(
            self.decoder, vocabulary_size, self.max_length, seed=self.seed, dtype=dtype, **options
        )

    @property
    def r_layers(self) -> list[str] | None:
        """The layers that form r(x), as `InterpNet` takes them."""
        if self.layers is not None or self.variant is None:
            return self.layers
        return classifiers.variant_layers(self.variant)

    def load(self, split: str, root: str | None = None, **options: Any) -> ExplanationDataset:
        """Loads a split of the data set of this run, from `root` where it has moved."""
        options = {**self.options, **options}
        return loading.load(self.data, split, root or self.root, self.seed_of_data, **options)

    @property
    def seed_of_data(self) -> int:
        """The seed of the draws that the data set makes."""
        return self.seed if self.data_seed is None else self.data_seed


def read_config(run: str | os.PathLike) -> RunConfig:
    """Returns the config of a run, finished or not.

    Raises:
        FileNotFoundError: if `run` is not a run folder.
        UnreadableFileError: if its config is damaged, or of another version.
    """
    path = Path(run) / "config.json"
    if not path.exists():
        raise FileNotFoundError(
            f"{run} is not a run folder (it has no config.json); `interpnet train` writes one"
        )
    advice = "mend it as the message says, or train again, into another folder"
    return read_as(RunConfig, path, "the config of a run", advice)
