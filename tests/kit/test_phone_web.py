"""The page that runs a LiteRT file inside the browser says what the Python client says."""

import contextlib
import functools
import json
import re
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import lessons
from headless_chromium import PROGRAM, Browser
from PIL import Image

from interpnet_tf import ExplanationDataset, ExplanationTokenizer, TransformerDecoder

pytest.importorskip("ai_edge_litert")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None or shutil.which("npm") is None, reason="needs Chromium and npm"),
]

PHONE = Path(__file__).parents[2] / "export" / "phone"
SIZE = 32


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the page's folder with its packages installed."""
    folder = tmp_path_factory.mktemp("source") / "web"
    shutil.copytree(PHONE / "web", folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    packages = json.loads((folder / "package.json").read_text())["dependencies"]
    for name, version in packages.items():
        asked = subprocess.run(["npm", "view", f"{name}@{version}"], check=False, capture_output=True)
        if asked.returncode:
            pytest.skip(f"the npm registry cannot be asked for {name}")
    subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def learned(make_model, birds):
    """Returns a function that teaches a decoder to say what it says of a picture's strongest colour."""
    return functools.partial(learn, make_model, birds)


def learn(make_model, birds, **decoder):
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(6, 3, activation="relu", name="spots")(x)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    classifier = keras.Model(image, keras.layers.Dense(3, "softmax", name="probabilities")(x))
    middle = np.zeros((3, 3, 3, 6), "float32")
    middle[1, 1] = np.eye(3, 6)  # the first three maps are the colours
    classifier.set_weights([middle, np.zeros(6), 30 * np.eye(6, 3), np.zeros(3)])
    pictures = np.stack(blobs(64, SIZE, SIZE, seed=1))
    labels = pictures.mean(axis=(1, 2)).argmax(axis=1)
    sentences = [birds.explanations[label] for label in labels]
    model = make_model(classifier, **decoder)
    model.compile(keras.optimizers.Adam(0.02))
    ids = [str(index) for index in range(64)]
    dataset = ExplanationDataset(pictures, labels, birds.class_names, sentences, ids)
    model.fit(lessons(dataset), batch_size=50, epochs=30, verbose=0)
    return model


@pytest.fixture(scope="module")
def model(learned):
    return learned()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def page(source, model, browser):
    """Builds the folder around a model, serves it on this machine, and opens the page."""
    subprocess.run(["npm", "run", "build", "--", str(model)], cwd=source, check=True, capture_output=True)
    handler = functools.partial(QuietHandler, directory=source / "dist")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            browser.call("Page.navigate", url=f"{url}/")
            browser.wait_for(
                "document.readyState == 'complete' && "
                "document.getElementById('status')?.textContent != 'Loading the model …'"
            )
            yield url
        finally:
            server.shutdown()


def blobs(count, width, height, seed=0):
    """Pictures of soft coloured spots."""
    random = np.random.default_rng(seed)
    spots = random.integers(0, 256, (count, 4, 4, 3)).astype("uint8")
    return [Image.fromarray(spot).resize((width, height), Image.Resampling.BICUBIC) for spot in spots]


def text(browser, name):
    return browser.value(f"document.getElementById('{name}').textContent")


def shown(browser, file):
    """Drops a file on the page and returns what it shows."""
    browser.value("document.getElementById('answer').hidden = true")
    browser.drop(file, "#drop")
    browser.wait_for("!document.getElementById('answer').hidden")
    assert text(browser, "error") == ""
    assert re.fullmatch(r"Computed in \d+ ms\.", text(browser, "duration"))
    rows = "[...document.querySelectorAll('#words tr')]"
    words = browser.value(f"{rows}.map(row => [...row.cells].slice(0, 2).map(cell => cell.textContent))")
    return [text(browser, name) for name in ("label", "probability", "explanation")], words


def percent(value):
    return f"{100 * value:.1f} %"


def assert_near(found, expected):
    """Checks percentages as they are shown: they may be rounded to either side."""
    assert float(found.removesuffix(" %")) == pytest.approx(float(expected.removesuffix(" %")), abs=0.11)


@pytest.fixture
def compare(phone_client, source, browser, tmp_path):
    """Returns a function that exports a model and gives 16 pictures to the page and the Python client."""
    return functools.partial(assert_same, phone_client, source, browser, tmp_path)


def assert_same(phone_client, source, browser, tmp_path, model, quantize):
    pictures = blobs(16, SIZE, SIZE)
    path = tmp_path / "birds.tflite"
    model.export(path, "litert", quantize=quantize, samples=np.stack(pictures))
    explainer = phone_client.Explainer(path)
    browser.requested.clear()
    seen = set()
    with page(source, path, browser) as url:
        for index, picture in enumerate(pictures):
            file = tmp_path / f"{index}.png"
            picture.save(file)
            expected = explainer.explain(explainer.read(file))
            (label, probability, explanation), words = shown(browser, file)
            assert (label, explanation) == (expected.label, expected.text)
            assert_near(probability, percent(expected.probability))
            assert [word for word, _ in words] == list(expected.words)
            for (_, found), log_probability in zip(words, expected.log_probabilities, strict=True):
                assert_near(found, percent(np.exp(log_probability)))
            seen.add(explanation)
    assert len(seen) > 2  # else the comparison would say little
    assert f"{url}/model.tflite" in browser.requested
    own = re.compile(r"http://127\.0\.0\.1:|blob:")
    assert not [address for address in browser.requested if not own.match(address)]


@pytest.mark.parametrize("quantize", [None, "dynamic", "int8"])
def test_the_page_says_what_the_python_client_says(compare, model, quantize):
    compare(model, quantize)


def test_the_page_says_the_same_with_a_transformer(compare, learned, birds):
    vocabulary = ExplanationTokenizer().adapt(birds.explanations).vocabulary_size
    decoder = TransformerDecoder(vocabulary, layers=1, units=16, heads=2, max_length=16, seed=0, dropout=0.0)
    compare(learned(decoder=decoder, max_length=16), None)


@pytest.fixture(scope="module")
def plain_file(model, tmp_path_factory):
    return model.export(tmp_path_factory.mktemp("plain") / "birds.tflite", "litert")


@pytest.fixture
def plain(source, browser, plain_file):
    """The address of a page with a float32 model."""
    with page(source, plain_file, browser) as url:
        yield url


def test_pictures_of_any_size_are_scaled_as_pillow_does(phone_client, plain, browser, tmp_path):
    random = np.random.default_rng(0)
    # Pillow rounds between the two directions, and scales the one first that is cheaper: no extremes here.
    noise = Image.fromarray(random.integers(64, 192, (61, 98, 3)).astype("uint8"))
    photo = blobs(1, 640, 479)[0]  # a JPEG is decoded at an eighth of its size
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    noise.save(tmp_path / "wide.png")
    noise.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "high.png")
    noise.resize((20, 25)).save(tmp_path / "small.png")
    photo.save(tmp_path / "photo.jpg", quality=95)
    photo.save(tmp_path / "turned.jpg", quality=95, exif=exif)
    browser.value(
        "import('./picture.js').then(module => { window.readPicture = module.readPicture; "
        "document.body.innerHTML = '<input type=file>'; })"
    )
    for name, most in {"wide.png": 1, "high.png": 1, "small.png": 1, "photo.jpg": 4, "turned.jpg": 4}.items():
        document = browser.call("DOM.getDocument")["root"]["nodeId"]
        element = browser.call("DOM.querySelector", nodeId=document, selector="input")["nodeId"]
        browser.call("DOM.setFileInputFiles", nodeId=element, files=[str(tmp_path / name)])
        file = "document.querySelector('input').files[0]"
        found = browser.value(f"readPicture({file}, {SIZE}).then(x => [...x])")
        expected = phone_client.read_picture(tmp_path / name, SIZE)
        difference = np.abs(np.reshape(found, expected.shape) - expected)
        assert difference.max() <= most, name


def test_words_are_joined_as_the_python_client_does(phone_client, plain, browser):
    words = ["a", ",", "(", "b", ")", "/", "[", "c", "]", "#", "1", "%", ".", "…", "{", "d", "}", "-", "x"]
    random = np.random.default_rng(0)
    sentences = [[words[index] for index in random.integers(0, len(words), 12)] for _ in range(200)]
    joined = browser.value(
        f"import('./interpnet_lite.js').then(client => {json.dumps(sentences)}.map(client.detokenize))"
    )
    assert joined == [phone_client.detokenize(sentence) for sentence in sentences]


def test_what_is_no_picture(plain, browser, tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    browser.drop(tmp_path / "notes.png", "#drop")
    message = "notes.png is no JPEG, PNG or BMP file, which alone are read, as in training; convert it"
    assert browser.wait_for("document.getElementById('error').textContent") == message
    assert browser.value("document.getElementById('answer').hidden")


def test_a_model_of_features_says_what_it_wants(source, browser, trained, tmp_path):
    trained.export(tmp_path / "birds.tflite", "litert")
    with page(source, tmp_path / "birds.tflite", browser):
        assert "reads 5 numbers" in text(browser, "status")
        assert browser.value("document.getElementById('drop').hidden")


def test_a_file_without_its_words(source, browser, tmp_path):
    (tmp_path / "bare.tflite").write_bytes(b"a model without an archive behind it" * 9)
    with page(source, tmp_path / "bare.tflite", browser):
        assert "interpnet export" in text(browser, "error")
