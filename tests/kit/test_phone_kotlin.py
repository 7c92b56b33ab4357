"""The Kotlin client compiles, and says of the same files what the Python client says.

Android is stood in for by `tests/android`: Java decodes the pictures, and the interpreter replays what the
real one answered to the Python client.
"""

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("ai_edge_litert")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("npm") is None or shutil.which("java") is None, reason="needs npm and Java"
    ),
]

PHONE = Path(__file__).parents[2] / "export" / "phone"
STUBS = Path(__file__).parent / "android"
COMPILER = "kotlin-compiler@2.4.20"
SIZE = 16


@pytest.fixture(scope="module")
def kotlin(tmp_path_factory):
    """Compiles the client with the stubs; returns a function that runs it and gives the lines it prints."""
    folder = tmp_path_factory.mktemp("kotlin")
    asked = subprocess.run(["npm", "view", COMPILER], check=False, capture_output=True)
    if asked.returncode:
        pytest.skip("the npm registry cannot be asked for the Kotlin compiler")
    (folder / "package.json").write_text(json.dumps({"private": True}))
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", COMPILER], cwd=folder, check=True)
    package, classes = folder / "node_modules" / "kotlin-compiler", folder / "classes"
    sources = [*map(str, PHONE.glob("*.kt")), *map(str, STUBS.glob("*.kt"))]
    compiler = [str(package / "bin" / "kotlinc"), "-Werror", "-d", str(classes), *sources]
    # A compiler that runs once is not worth compiling well itself.
    environment = {**os.environ, "JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    compiled = subprocess.run(compiler, check=False, capture_output=True, text=True, env=environment)
    assert compiled.returncode == 0, compiled.stderr
    path = f"{classes}:{package / 'lib' / 'kotlin-stdlib.jar'}"

    def run(model: Path, recording: Path, files: list[Path], sentences: str = "") -> list[str]:
        arguments = [str(model.parent), model.name, *map(str, files)]
        java = ["java", f"-Drecording={recording}", "-Dfile.encoding=UTF-8", "-cp", path, "interpnet.MainKt"]
        done = subprocess.run(
            [*java, *arguments], input=sentences, check=False, capture_output=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def record(path: Path, explainer, inputs: list[np.ndarray]) -> None:
    """Writes what the interpreter answers, as `tests/android/Interpreter.kt` reads it."""
    said = [explainer._explain(x=x[None]) for x in inputs]
    shape = [1, *inputs[0].shape]
    content = struct.pack(f">{len(shape) + 2}i", len(shape), *shape, len(inputs))
    for x, answer in zip(inputs, said, strict=True):
        ids, values = answer["token_ids"][0], answer["log_probabilities"][0]
        content += struct.pack(">i", x.size) + x.astype(">f4").tobytes()
        content += struct.pack(">if", int(answer["class_id"][0]), float(answer["probability"][0]))
        content += struct.pack(">i", len(ids)) + ids.astype(">i4").tobytes() + values.astype(">f4").tobytes()
    path.write_bytes(content)


def check(line: str, expected) -> None:
    """Compares a line of the Kotlin program with an explanation of the Python client."""
    assert not line.startswith("refused"), line
    label, class_id, probability, text, words, values = line.split("\t")
    assert (label, int(class_id), text) == (expected.label, expected.class_id, expected.text)
    assert tuple(words.split()) == expected.words
    assert float(probability) == pytest.approx(expected.probability, rel=1e-6)
    np.testing.assert_allclose(
        [float(value) for value in values.split()], expected.log_probabilities, rtol=1e-6
    )


def picture_files(folder: Path) -> list[Path]:
    """Writes pictures of several shapes and kinds, upright or marked as turned."""
    random, files = np.random.default_rng(0), []
    for name, size in {
        "wide.png": (61, 40),
        "tall.png": (23, 70),
        "small.png": (7, 9),
        "same.png": (16, 16),
    }.items():
        files.append(folder / name)
        noise = random.integers(0, 256, (size[1], size[0], 3), dtype="uint8")
        Image.fromarray(noise).save(files[-1])
    clear = np.concatenate([noise, np.full((*noise.shape[:2], 1), 100, "uint8")], axis=2)
    files.append(folder / "clear.png")
    Image.fromarray(clear).save(files[-1])
    ramp = np.add.outer(np.linspace(0, 200, 24), np.linspace(0, 55, 30))
    # Of tall pictures Pillow scales columns first, which noise would show.
    files.append(folder / "tall.png")
    Image.fromarray(np.repeat(ramp.astype("uint8")[:, ::-1, None], 3, axis=2).swapaxes(0, 1)).save(files[-1])
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        files.append(folder / f"orientation_{orientation}.jpg")
        smooth = Image.fromarray(np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=2).astype("uint8"))
        smooth.save(files[-1], exif=exif, quality=100, subsampling=0)
    return files


def test_pictures(make_model, phone_client, kotlin, tmp_path):
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Flatten(name="flat")(x)
    classifier = keras.Model(image, keras.layers.Dense(3, "softmax", name="probabilities")(x))
    make_model(classifier).export(tmp_path / "birds.tflite", "litert")
    explainer = phone_client.Explainer(tmp_path / "birds.tflite")
    files = picture_files(tmp_path)
    inputs = [explainer.read(path) for path in files]
    record(tmp_path / "recording", explainer, inputs)
    assert len({x.tobytes() for x in inputs[-8:]}) == 8  # the eight orientations differ
    (tmp_path / "broken.png").write_bytes(b"no picture")
    *lines, refused = kotlin(
        tmp_path / "birds.tflite", tmp_path / "recording", [*files, tmp_path / "broken.png"]
    )
    assert refused == "refused: this is no JPEG, PNG or BMP file"
    for line, x in zip(lines, inputs, strict=True):
        check(line, explainer.explain(x))


def test_features_and_spelling(trained, birds, phone_client, kotlin, tmp_path):
    trained.export(tmp_path / "birds.tflite", "litert")
    explainer = phone_client.Explainer(tmp_path / "birds.tflite")
    files = [tmp_path / f"{index}.txt" for index in range(4)]
    for path, x in zip(files, birds.inputs, strict=False):
        path.write_text(" ".join(map(str, x.tolist())))
    (tmp_path / "short.txt").write_text("1 2")
    record(tmp_path / "recording", explainer, list(birds.inputs[:4]))
    model, recording = tmp_path / "birds.tflite", tmp_path / "recording"
    *lines, refused = kotlin(model, recording, [*files, tmp_path / "short.txt"])
    assert refused == "refused: x must hold 5 numbers, got 2"
    for line, x in zip(lines, birds.inputs[:4], strict=True):
        check(line, explainer.explain(x))
    sentences = ["a red , short bill .", "bill ( red ) ; why ?", "black / white [ # 1 ] 50 %", "été …", "x"]
    spelled = kotlin(model, recording, [], "\n".join(sentences))
    assert spelled == [phone_client.detokenize(sentence.split(" ")) for sentence in sentences]
