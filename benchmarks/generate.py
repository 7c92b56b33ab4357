"""How fast explanations are said: ours beside PyTorch, Hugging Face and keras-nlp, at the paper's sizes.

    python benchmarks/generate.py

r(x) is given; a contender says a fixed number of words greedily, of random weights. The contenders take turns
in every round. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial

import numpy as np
from peers import Process, Run, processes, pytorch_unavailable
from train_explainer import R_WIDTH, STARTS, VOCABULARY, cores, environment, measure

WORDS, UNITS, LAYERS, HEADS = 16, 256, 2, 4


def features(batch: int, width: int = R_WIDTH) -> np.ndarray:
    """Returns r(x) of a batch."""
    return np.random.default_rng(0).normal(size=(batch, width)).astype("float32")


def decoder(kind: str, dtype: str, words: int = WORDS, width: int = R_WIDTH):
    """Returns a built decoder of ours that never says the end, so that everybody says equally many words."""
    import interpnet_tf as itf

    if kind == "lrcn":
        made = itf.LRCNDecoder(VOCABULARY, seed=0, dtype=dtype)
    else:
        sizes = {"layers": LAYERS, "units": UNITS, "heads": HEADS, "max_length": words}
        made = itf.TransformerDecoder(VOCABULARY, seed=0, dtype=dtype, **sizes)
    made({"r": np.zeros((1, width), "float32"), "tokens": np.ones((1, 1), "int32")})
    return made


def ours(
    kind: str,
    batch: int,
    dtype: str = "float32",
    xla: bool = False,
    words: int = WORDS,
    width: int = R_WIDTH,
    only_words: bool = False,
) -> Run:
    """Returns what says a batch with weights that were folded before, as `explain` does for a stream.

    With `only_words` the probabilities of the words, which no peer gives, are left out.
    """
    import tensorflow as tf

    from interpnet_tf.generation import Decoding, generate

    made, r = decoder(kind, dtype, words, width), tf.constant(features(batch, width))
    folded, decoding = made.fold(), Decoding(min_length=words)

    @tf.function(jit_compile=xla)
    def say(r, folded):
        return generate(made, r, words, decoding, folded=folded, probabilities=not only_words)

    return lambda _: say(r, folded).ids.numpy()


def litert(kind: str, batch: int, dtype: str = "float32") -> Run:
    """Returns what says a batch with LiteRT, the runtime of phones, on every core."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from interpnet_tf.generation import Decoding, generate

    made = decoder(kind, dtype)
    folded = made.fold()
    say = tf.function(lambda r: generate(made, r, WORDS, Decoding(min_length=WORDS), folded=folded).ids)
    concrete = say.get_concrete_function(tf.TensorSpec((batch, R_WIDTH)))
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    content = tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()
    interpreter = Interpreter(model_content=content, num_threads=cores())
    interpreter.allocate_tensors()
    r = features(batch)

    def run(_: int) -> None:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], r)
        interpreter.invoke()
        interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def saved_model(kind: str, batch: int, dtype: str = "float32") -> Run:
    """Returns what says a batch with a SavedModel, loaded again."""
    import tensorflow as tf

    from interpnet_tf.generation import Decoding, generate

    made = decoder(kind, dtype)
    module, folded = tf.Module(), made.fold()
    module.decoder = made
    module.say = tf.function(
        lambda r: generate(made, r, WORDS, Decoding(min_length=WORDS), folded=folded).ids,
        input_signature=[tf.TensorSpec((None, R_WIDTH))],
    )
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"say": module.say})
        say = tf.saved_model.load(folder).signatures["say"]
    r = tf.constant(features(batch))
    return lambda _: next(iter(say(r).values())).numpy()


def keras_nlp_loop(batch: int, xla: bool) -> Run:
    """Returns keras-nlp's greedy sampler over keras-nlp's blocks and their caches: the plain `step`."""
    import keras_nlp
    import tensorflow as tf

    made, r = decoder("transformer", "float32", WORDS + 1), tf.constant(features(batch))
    sampler = keras_nlp.samplers.GreedySampler()

    @tf.function(jit_compile=xla)
    def say(r):
        def following(prompt, state, index):
            logits, state = made.step(prompt[:, index - 1], state)
            return logits, None, state

        prompt = tf.concat([tf.ones((batch, 1), tf.int32), tf.zeros((batch, WORDS), tf.int32)], axis=1)
        return sampler(following, prompt, cache=made.start(r), index=1)

    return lambda _: say(r).numpy()


def pytorch(batch: int, cells: bool, bfloat16: bool = False) -> Run:
    """Returns the LRCN in PyTorch, r projected once, in a type throughout."""
    import torch
    from pytorch_lrcn import LRCN

    torch.manual_seed(0)
    kind = torch.bfloat16 if bfloat16 else torch.float32
    model = LRCN(VOCABULARY, R_WIDTH, project_once=True).eval().to(kind)
    r = torch.from_numpy(features(batch)).to(kind)
    return lambda _: model.generate(r, WORDS, cells)


def gpt2(batch: int) -> Run:
    """Returns Hugging Face's `generate` of a two-layer GPT-2 of the Transformer's size, with its cache."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"n_layer": LAYERS, "n_embd": UNITS, "n_head": HEADS, "n_positions": 64}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, **sizes)).eval()
    prompt, ends = torch.ones((batch, 1), dtype=torch.long), {"eos_token_id": None, "pad_token_id": 0}
    mask = torch.ones_like(prompt)
    options = {"max_new_tokens": WORDS, "do_sample": False, "use_cache": True, **ends}

    def run(_: int) -> None:
        with torch.inference_mode():
            model.generate(prompt, attention_mask=mask, **options)

    return run


# By name: what builds a contender for a batch. Ours and keras-nlp's run in TensorFlow's process.
Makers = dict[str, Callable[[int], Run]]
LSTM: Makers = {
    "PyTorch LRCN, nn.LSTM": partial(pytorch, cells=False),
    "PyTorch LRCN, nn.LSTMCell": partial(pytorch, cells=True),
    "PyTorch LRCN, bfloat16": partial(pytorch, cells=True, bfloat16=True),
    "ours, explain": partial(ours, "lrcn"),
    "ours, explain with XLA": partial(ours, "lrcn", xla=True),
    "ours, words only with XLA": partial(ours, "lrcn", xla=True, only_words=True),
    "ours, SavedModel": partial(saved_model, "lrcn"),
    "ours, LiteRT": partial(litert, "lrcn"),
    "ours, bfloat16": partial(ours, "lrcn", dtype="mixed_bfloat16"),
    "ours, words only, bfloat16": partial(ours, "lrcn", dtype="mixed_bfloat16", only_words=True),
}
TRANSFORMER: Makers = {
    "keras-nlp's loop": partial(keras_nlp_loop, xla=False),
    "keras-nlp's loop with XLA": partial(keras_nlp_loop, xla=True),
    "Hugging Face GPT-2": gpt2,
    "ours, explain": partial(ours, "transformer"),
    "ours, explain with XLA": partial(ours, "transformer", xla=True),
    "ours, words only with XLA": partial(ours, "transformer", xla=True, only_words=True),
    "ours, LiteRT": partial(litert, "transformer"),
    "ours, bfloat16": partial(ours, "transformer", dtype="mixed_bfloat16"),
    "ours, words only, bfloat16": partial(ours, "transformer", dtype="mixed_bfloat16", only_words=True),
}


def library(name: str) -> str:
    """Returns the name of the process that a contender runs in."""
    return "PyTorch" if name.startswith(("PyTorch", "Hugging Face")) else "TensorFlow"


def compare(running: dict[str, Process], contenders: Makers, batch: int, rounds: int) -> list[dict]:
    """Returns each contender's explanations a second, and its ratio to the best peer in float32.

    A ratio is the median over the rounds of the quotient within a round.
    """
    runs = {name: running[library(name)].build(make, batch=batch) for name, make in contenders.items()}
    seconds = measure(runs, rounds, warmup=2)
    for process in running.values():
        process.drop()
    peers = [name for name in seconds if "ours" not in name and "bfloat16" not in name]
    best = min(peers, key=lambda name: float(np.median(seconds[name])))
    return [
        {
            "contender": name,
            "batch": batch,
            "explanations_per_second": batch / float(np.median(of_one)),
            "ratio": float(np.median(np.array(seconds[best]) / of_one)),
            "best_peer": best,
        }
        for name, of_one in seconds.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--rounds", type=int, default=9, help="measured rounds (default 9)")
    parser.add_argument("--only", nargs="+", default=[""], help="ours whose name holds one of these")
    parser.add_argument("--decoders", nargs="+", default=["lrcn", "transformer"])
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args()
    if reason := pytorch_unavailable("transformers"):
        sys.exit(reason)
    about, rows = environment(), []
    if not options.json:
        print(", ".join(f"{name} {value}" for name, value in about.items()))
    with processes(STARTS) as running:
        for kind in options.decoders:
            contenders = {
                name: make
                for name, make in {"lrcn": LSTM, "transformer": TRANSFORMER}[kind].items()
                if "ours" not in name or any(part in name for part in options.only)
            }
            for batch in options.batches:
                for row in compare(running, contenders, batch, options.rounds):
                    rows.append({"decoder": kind, **row})
                    if not options.json:
                        speed = f"{row['explanations_per_second']:8.1f} a second  ratio {row['ratio']:5.2f}"
                        print(f"{kind:12} batch {batch:5}  {row['contender']:26} {speed}", flush=True)
    if options.json:
        print(json.dumps({"environment": about, "settings": vars(options), "results": rows}, indent=2))


if __name__ == "__main__":
    main()
