"""The gRPC API answers as TensorFlow Serving does, and lives through what is wrong."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from serving_models import running, write_toy
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

X = np.array([[1, 2, 3.5]], "float32")


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_toy(folder, 7)
    options = {"max_batch_size": 8, "max_queued_rows": 16, "max_body_bytes": 4000, "labels": {"stable": 7}}
    with running(folder, **options) as endpoints, grpc.insecure_channel(endpoints.grpc) as channel:
        yield channel


@pytest.fixture
def predict(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def call(inputs, signature="", name="toy", output_filter=(), timeout=30, **choice):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        if "version" in choice:
            request.model_spec.version.value = choice["version"]
        if "label" in choice:
            request.model_spec.version_label = choice["label"]
        request.output_filter.extend(output_filter)
        for key, value in inputs.items():
            is_proto = isinstance(value, type(tf.make_tensor_proto(0)))
            request.inputs[key].CopyFrom(value if is_proto else tf.make_tensor_proto(value))
        return stub.Predict(request, timeout=timeout)

    return call


def test_predict(predict):
    answer = predict({"x": X})
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("toy", 7)
    assert answer.model_spec.signature_name == "serving_default"
    outputs = {name: tf.make_ndarray(proto) for name, proto in answer.outputs.items()}
    np.testing.assert_array_equal(outputs["double"], [[2, 4, 7]])
    assert outputs["double"].dtype == np.float32
    assert outputs["text"].tolist() == [b"sum 6.5"]
    assert outputs["version"].tolist() == [7]
    # where clients of TensorFlow Serving look for numbers
    assert list(answer.outputs["double"].float_val) == [2, 4, 7]
    assert list(answer.outputs["version"].int64_val) == [7]


@pytest.mark.parametrize("choice", [{"version": 7}, {"label": "stable"}])
def test_version_and_label(predict, choice):
    assert list(predict({"x": X}, **choice).outputs["version"].int64_val) == [7]


def test_output_filter(predict):
    assert list(predict({"x": X}, output_filter=["text"]).outputs) == ["text"]


@pytest.mark.parametrize(
    ("fields", "double"),
    [
        ({"float_val": [1, 2]}, [2, 4, 4]),  # the last one stands for the rest, as in TensorFlow
        ({"float_val": [5]}, [10, 10, 10]),
        ({}, [0, 0, 0]),
    ],
)
def test_values_that_stand_for_others(predict, fields, double):
    proto = changed(X, **fields)
    np.testing.assert_array_equal(tf.make_ndarray(predict({"x": proto}).outputs["double"]), [double])


def test_several_inputs(predict):
    inputs = {"a": np.int32([1]), "b": np.uint8([[2, 3]]), "c": np.array([True])}
    assert list(predict(inputs, "several").outputs["total"].int_val) == [7]


def test_scalar(predict):
    answer = predict({"x": np.float32(3)}, "scalar")
    assert tf.make_ndarray(answer.outputs["half"]).tolist() == 1.5
    assert tf.make_ndarray(answer.outputs["raw_bytes"]).tolist() == b"\xff\x00"


def bomb(shape):
    """A message of few bytes that unfolds to a large tensor."""
    proto = tf.make_tensor_proto(np.float32([1]))
    proto.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
    return proto


def changed(value, **fields):
    """A tensor in which fields are replaced."""
    proto = tf.make_tensor_proto(value)
    for name in ("tensor_content", "float_val", "string_val"):
        proto.ClearField(name)
    for name, field in fields.items():
        if name == "tensor_content":
            proto.tensor_content = field
        else:
            getattr(proto, name).extend(field)
    return proto


def repeated(shape, text):
    """Strings of which only the first is written."""
    proto = tf.make_tensor_proto([text])
    proto.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
    return proto


def dimensions(*sizes):
    proto = tf.make_tensor_proto(np.float32([1]))
    proto.tensor_shape.Clear()
    for size in sizes:
        proto.tensor_shape.dim.add().size = size
    return proto


INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
WRONG = {
    "no inputs": ({}, {}, INVALID, "missing: ['x']"),
    "an unknown input": ({"x": X, "y": X}, {}, INVALID, "unknown: ['y']"),
    "a wrong width": ({"x": X[:, :2]}, {}, INVALID, "[1, 2], but the model reads [batch, 3]"),
    "a wrong type": ({"x": X.astype("float64")}, {}, INVALID, "float64, but the model reads float32"),
    "no type": ({"x": type(tf.make_tensor_proto(0))()}, {}, INVALID, "of no type"),
    "not a number": ({"x": X * np.nan}, {}, INVALID, "not finite"),
    "infinity": ({"x": X * np.inf}, {}, INVALID, "not finite"),
    "an empty batch": ({"x": X[:0]}, {}, INVALID, "empty"),
    "too many rows": ({"x": np.repeat(X, 9, 0)}, {}, INVALID, "at most 8 rows"),
    "a bomb": ({"x": bomb((10**9, 3))}, {}, INVALID, "larger than"),
    "an open shape": ({"x": bomb((None, 3))}, {}, INVALID, "open shape"),
    "more bytes than memory has addresses": ({"x": dimensions(2**62, 3)}, {}, INVALID, "larger than"),
    "a negative size": ({"x": dimensions(-2, 3)}, {}, INVALID, "open shape"),
    "many dimensions": ({"x": dimensions(*[1] * 1000)}, {}, INVALID, "has shape [1, 1, 1"),
    "too few bytes": ({"x": changed(X, tensor_content=b"123")}, {}, INVALID, "not a sound TensorProto"),
    "too many bytes": ({"x": changed(X, tensor_content=bytes(16))}, {}, INVALID, "not a sound TensorProto"),
    "too many values": (
        {"x": changed(X, float_val=[1] * 4)},
        {},
        INVALID,
        "4 values, and its shape has room",
    ),
    "a string that stands for many": (
        {"image_bytes": repeated((8,), b"x" * 3000)},
        {"signature": "serving_bytes"},
        INVALID,
        "larger than",
    ),
    "a resource": ({"x": type(tf.make_tensor_proto(0))(dtype="DT_RESOURCE")}, {}, INVALID, "resource, but"),
    "a variant": ({"x": type(tf.make_tensor_proto(0))(dtype="DT_VARIANT")}, {}, INVALID, "variant, but"),
    "many inputs": ({f"x{index}": X[0, 0] for index in range(99)}, {}, INVALID, "unknown: ['x0', 'x1', "),
    "a name of ducks": (
        {"x": X},
        {"signature": "\N{DUCK}" * 500},
        grpc.StatusCode.FAILED_PRECONDITION,
        "\N{DUCK}",
    ),
    "an unknown output": ({"x": X}, {"output_filter": ["no"]}, INVALID, "output tensor alias not found"),
    "an output twice": ({"x": X}, {"output_filter": ["text", "text"]}, INVALID, "duplicate"),
    "an unknown label": ({"x": X}, {"label": "no"}, INVALID, "Unrecognized"),
    "an unknown version": ({"x": X}, {"version": 8}, NOT_FOUND, "loaded versions: [7]"),
    "an unknown model": ({"x": X}, {"name": "robin"}, NOT_FOUND, '"toy"'),
    "no model": ({"x": X}, {"name": ""}, INVALID, "Missing ModelSpec"),
    "an unknown signature": (
        {"x": X},
        {"signature": "no"},
        grpc.StatusCode.FAILED_PRECONDITION,
        "serving_default",
    ),
    "half a picture": (
        {"image_bytes": [b"\xff\xd8\xff\xe0"]},
        {"signature": "serving_bytes"},
        INVALID,
        "JPEG",
    ),
    "too long a message": (
        {"image_bytes": [b"1" * 100_000]},
        {"signature": "serving_bytes"},
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "larger than max",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_gets_a_code_and_advice(predict, name):
    inputs, options, code, text = WRONG[name]
    with pytest.raises(grpc.RpcError) as caught:
        predict(inputs, **options)
    assert caught.value.code() == code
    assert text in caught.value.details()
    assert predict({"x": X}).outputs  # the server lives


def test_metadata(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "toy"
    answer = stub.GetModelMetadata(request, timeout=30)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["several"].inputs["b"].dtype == tf.uint8.as_datatype_enum
    request.metadata_field[:] = ["weights"]
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetModelMetadata(request, timeout=30)
    assert caught.value.code() == INVALID


def test_status(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "toy"
    (version,) = stub.GetModelStatus(request, timeout=30).model_version_status
    assert (version.version, version.state) == (7, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    request.model_spec.version.value = 8
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetModelStatus(request, timeout=30)
    assert caught.value.code() == NOT_FOUND


def test_classify_is_refused(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Classify(classification_pb2.ClassificationRequest(), timeout=30)
    assert (caught.value.code(), "Predict" in caught.value.details()) == (INVALID, True)


def test_a_call_that_sends_no_message(channel):
    call = channel.stream_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as caught:
        call(iter([]), timeout=30)
    assert (caught.value.code(), "no message" in caught.value.details()) == (INVALID, True)


@pytest.mark.parametrize("message", [b"\xff", b"\x12\xff\xff\xff\x0f", b"\x0b", b"\x0a\x01", b"\x80" * 20])
def test_what_is_no_message(channel, message):
    for method in (
        "PredictionService/Predict",
        "PredictionService/GetModelMetadata",
        "ModelService/GetModelStatus",
    ):
        call = channel.unary_unary(f"/tensorflow.serving.{method}")
        with pytest.raises(grpc.RpcError) as caught:
            call(message, timeout=30)
        assert caught.value.code() == INVALID


def test_a_deadline_frees_the_queue(predict):
    for _ in range(3):
        with pytest.raises(grpc.RpcError) as caught:
            predict({"x": X}, "slow", timeout=0.1)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert predict({"x": X}).outputs
