"""The systems of the table that are not trained by `runs.train`, or do not speak by `InterpNet.explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interpnet_tf.experiments.table1.job import Job
    from interpnet_tf.experiments.table1.material import Material
    from interpnet_tf.generation.explanation import Explanation
    from interpnet_tf.model import InterpNet


def gve(job: Job) -> InterpNet:
    """Trains Generating Visual Explanations, or one of its ablations.

    Options: `ablation`; `sentences` and `discriminative`, see `gve.train`. The relevance loss is trained as
    the config says.
    """
    from interpnet_tf.experiments import gve
    from interpnet_tf.training.sentence_training import sentence_accuracy

    config, options = job.config, job.options
    relevance = ("epochs", "cool_down", "batch_size", "learning_rate")
    model = gve.train(
        job.classifier,
        job.tokenizer,
        job.train,
        job.validation,
        options["ablation"],
        seed=config.seed,
        directory=job.shared,
        callbacks={stage: job.progress(stage.replace("_", " ")) for stage in gve.STAGES},
        decoder=config.decoder_of,
        max_length=config.max_length,
        relevance={name: getattr(config, name) for name in relevance},
        discriminative=options["discriminative"],
        sentences=options["sentences"],
    )
    if gve.ABLATIONS[options["ablation"]].relevance:
        reader = gve.train_sentence_classifier(
            job.tokenizer, job.train, job.validation, config.seed, job.shared, **options["sentences"]
        )
        job.note(sentence_accuracy=sentence_accuracy(reader, job.tokenizer, job.test))
    return model


def discriminative(job: Job) -> InterpNet:
    """Trains another row's model on with the discriminative loss of Generating Visual Explanations.

    Options: `sentences` and `discriminative`, see `gve.train_sentence_classifier` and `gve.discriminate`.
    """
    from interpnet_tf.experiments import gve
    from interpnet_tf.training.sentence_training import sentence_accuracy

    options, seed = job.options, job.config.seed
    splits, shown = (job.train, job.validation), job.progress("sentence classifier")
    reader = gve.train_sentence_classifier(
        job.tokenizer, *splits, seed, job.shared, shown, **options["sentences"]
    )
    job.note(sentence_accuracy=sentence_accuracy(reader, job.tokenizer, job.test))
    checkpoints = job.directory / "checkpoints"
    gve.discriminate(
        job.start,
        reader,
        *splits,
        seed=seed,
        directory=checkpoints,
        callbacks=job.progress("discriminative"),
        **options["discriminative"],
    )
    return job.start


def self_critical(job: Job) -> InterpNet:
    """Trains another row's model on for CIDEr-D, with the reward of its own greedy sentence as baseline.

    Options: those of `policy_gradient.train_policy`, in `policy`.
    """
    from interpnet_tf.training import policy_gradient, rewards

    policy_gradient.train_policy(
        job.start,
        job.train,
        job.validation,
        rewards.CiderD(job.start.tokenizer, job.train.explanations),
        seed=job.config.seed,
        directory=job.directory / "checkpoints",
        callbacks=job.progress("CIDEr-D"),
        **job.options["policy"],
    )
    return job.start


def pragmatic(
    model: InterpNet,
    material: Material,
    seed: int,
    rationality: float,
    listening: float,
    rivals: int = 0,
    **options: Any,
) -> list[Explanation]:
    """Explains so that a listener can tell the predicted class, see `speakers.Pragmatic`."""
    from interpnet_tf.speakers import Pragmatic

    speaker = Pragmatic(model, material.train, rationality, listening, rivals, seed)
    return speaker.explain(material.judged, **options)


def minimum_bayes_risk(model: InterpNet, material: Material, seed: int, **options: Any) -> list[Explanation]:
    """Says what agrees best with all that the model might say, see `speakers.MinimumBayesRisk`."""
    from interpnet_tf.speakers import MinimumBayesRisk

    return MinimumBayesRisk(model, material.train).explain(material.judged, seed=seed, **options)
