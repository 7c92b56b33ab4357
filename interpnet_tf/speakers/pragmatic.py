"""`Pragmatic`: a speaker that wants the predicted class to be recognized."""

from __future__ import annotations

from typing import Any

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import inputs_of
from interpnet_tf.generation.asked_class import asked_classes, decided
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.introspection.probabilities import output_units
from interpnet_tf.model import InterpNet
from interpnet_tf.speakers.candidates import distinct, ranked, scored_by
from interpnet_tf.speakers.contrasted_decoder import ContrastedDecoder
from interpnet_tf.speakers.listened_decoder import ListenedDecoder, word_likelihood
from interpnet_tf.speakers.sentence_listener import SentenceListener


class Pragmatic:
    """Says of each example what tells its predicted class from the other classes.

    In two steps, either of which may be left out. A beam search weighs every word by what it tells a listener
    about the class (`rationality`): see `ListenedDecoder`, whose listener knows how often people say each
    word of each class, and `ContrastedDecoder`, which compares with what the model itself would say of the
    rivals. Then the sentences found are ranked by

        score under the model + listening · log P(predicted class | sentence)

    with a `SentenceListener` that knows pairs of words too. The listeners learn from the training sentences;
    the model stays as it is.

    Where nobody described the predicted class, the speaker takes the most probable class that somebody did.
    The label of the explanation stays that of the prediction.

    Args:
        model: a trained `InterpNet`.
        train: the examples it was trained on, with their sentences.
        rationality: how much the choice of a word heeds the listener; 0 is the model's own beam search.
        listening: how much the choice among sentences heeds the listener; 0 takes the first of the beam.
        rivals: 0 for a listener of words; or the number of rival classes to compare with.
        seed: of the sentence listener's training.

    Attributes:
        model: an `InterpNet` that speaks as the first step does: it can be saved and exported, and its
            `explain` takes every sampler. Its log-probabilities are the pragmatic speaker's.
        known: ids of the classes that have sentences, in rising order.

    Raises:
        ValueError: if fewer than two classes of `train` have sentences, the classifier has one output
            only, or an argument is out of its range.

    Example:

    ```python
    speaker = Pragmatic(model, train, rationality=1.0)
    for explanation in speaker.explain(test.inputs, beams=10):
        print(explanation)
    speaker.model.export("export/pragmatic/1")
    ```

    References:
    - [Vedantam et al. 2017](https://arxiv.org/abs/1701.02870)
    - [Andreas & Klein 2016](https://arxiv.org/abs/1604.00562)
    """

    def __init__(
        self,
        model: InterpNet,
        train: ExplanationDataset,
        rationality: float = 1.0,
        listening: float = 1.0,
        rivals: int = 0,
        seed: int = 0,
    ) -> None:
        if listening < 0:
            raise ValueError(f"listening must be at least 0, got {listening}")
        train = train.explained()
        self.known = np.unique(train.labels)
        if len(self.known) < 2:
            raise ValueError(
                f"train must have sentences of at least two classes, has them of {len(self.known)}"
            )
        self.plain, self.listening = model, listening
        sentences = [sentence for of_one in train.explanations for sentence in of_one]
        labels = np.repeat(train.labels, [len(of_one) for of_one in train.explanations])
        self.model = _speaking_model(model, self.known, rationality, rivals)
        if rivals:
            r = model.standardize(model.introspect(train.inputs)).numpy()
            means = [r[train.labels == class_id].mean(axis=0) for class_id in self.known]
            self.model.decoder.mean_r.assign(np.stack(means))
        else:
            ids = model.tokenizer.tokenize(sentences).to_list()
            table = word_likelihood(ids, labels, self.known.tolist(), model.tokenizer.vocabulary_size)
            self.model.decoder.likelihood.assign(table)
        self.listener = None
        if listening:
            self.listener = SentenceListener(model.tokenizer, seed=seed).fit(sentences, labels)

    def explain(
        self,
        x: Any,
        beams: int = 10,
        candidates: int | None = None,
        batch_size: int = 64,
        max_length: int | None = None,
        length_penalty: float = 0.7,
        class_id: Any = None,
        **options: Any,
    ) -> list[Explanation]:
        """Classifies examples and says why.

        Args:
            x: as in `InterpNet.explain`.
            beams: of the beam search.
            candidates: how many of its sentences are ranked, by default all.
            batch_size: examples at a time.
            max_length: the most words, by default the model's.
            length_penalty: see `generation.Decoding`.
            class_id: the class to be recognized, by its number or its name, or one for each example, see
                `InterpNet.explain`; `None` is the predicted one.
            **options: further ones of `InterpNet.explain`, such as `forbidden`.

        Returns:
            An `Explanation` for each example, the other candidates its alternatives. Log-probabilities and
            scores are the model's own: how it would have said the sentence unasked.

        Raises:
            ValueError: if nobody described a class that is asked for, or an option is out of its range.
        """
        asked = None if class_id is None else self._asked(class_id)
        length = self.model.max_length if max_length is None else max_length
        x = inputs_of(x)
        said = self.model.explain(
            x,
            "beam",
            beams=beams,
            n_best=beams if candidates is None else candidates,
            batch_size=batch_size,
            max_length=length,
            length_penalty=length_penalty,
            class_id=asked,
            **options,
        )
        r = self.model.introspect(x, batch_size)
        if asked is not None:
            r = decided(self.model, r, np.broadcast_to(asked, len(r))).numpy()
        own = r[:, : self.plain.introspector.width]
        found = scored_by(self.plain, own, [distinct(one) for one in said], length, length_penalty)
        if self.listener is None:
            return [ranked(sentences, -np.arange(len(sentences))) for sentences in found]
        scores = self.model.decoder.known_scores(self.model.standardize(r)).numpy()
        understood = self.listener.log_posteriors([one.text for sentences in found for one in sentences])
        targets = np.repeat(scores.argmax(axis=1), [len(sentences) for sentences in found])
        understood = iter(understood[np.arange(len(targets)), targets])
        return [
            ranked(sentences, [one.score + self.listening * next(understood) for one in sentences])
            for sentences in found
        ]

    def _asked(self, class_id: Any) -> np.ndarray:
        asked = asked_classes(self.model, class_id)
        if len(unknown := np.setdiff1d(asked, self.known)):
            name = self.model.class_names[unknown[0]]
            raise ValueError(f"class_id asks for {name!r}, of which no training sentence is known")
        return asked


def _speaking_model(model: InterpNet, known: np.ndarray, rationality: float, rivals: int) -> InterpNet:
    """Returns a model with the same classifier whose decoder wraps `model`'s; its tables are still empty."""
    introspector, path = model.introspector, model.introspector.probabilities_path
    classes = output_units(model.classifier)
    if classes < 2:
        raise ValueError(
            "the classifier must have an output for each class, got one with a single output; "
            "give it two outputs and a softmax"
        )
    layers, width = list(introspector.layer_paths), introspector.width
    inside = introspector.slices.get(path)
    if inside is None:
        layers.append(path)
        inside = slice(width, width + classes)
    arguments = {
        "decoder": model.decoder,
        "known": known.tolist(),
        "scores": (inside.start, inside.stop),
        "width": width,
        "rationality": rationality,
    }
    decoder = ContrastedDecoder(rivals=rivals, **arguments) if rivals else ListenedDecoder(**arguments)
    speaking = InterpNet(
        model.classifier,
        model.tokenizer,
        layers,
        decoder,
        model.max_length,
        model.class_names,
        introspector.pooling,
        model.seed,
        model.output_kind,
    )
    behind = speaking.introspector.width - width
    speaking.r_mean.assign(np.concatenate([model.r_mean.numpy(), np.zeros(behind)]))
    speaking.r_scale.assign(np.concatenate([model.r_scale.numpy(), np.ones(behind)]))
    decoder.score_mean.assign(speaking.r_mean[inside])
    decoder.score_scale.assign(speaking.r_scale[inside])
    return speaking
