# SPDX-License-Identifier: Apache-2.0
"""NVIDIA's client of the Open Inference Protocol, pointed at munkeyd.

    client.py URL TOKEN PIXELS PREDICTED

PIXELS: raw test images; PREDICTED: what POST /predict says of them, with all labels.  Prints a line
for each check: "ok SENTENCE", or "not ok SENTENCE: WHY".
"""
import itertools
import json
import sys
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

url, token, pixels, predicted = sys.argv[1:]
with open(predicted) as file:
    expected = json.load(file)
labels = sorted(expected["predictions"][0]["top"], key=lambda choice: choice["index"])
labels = [choice["label"] for choice in labels]
images = numpy.fromfile(pixels, numpy.uint8).reshape(-1, 28, 28, 1)
model, digest = expected["model"]["name"], expected["model"]["digest"]
checks = []
client = triton.InferenceServerClient(urlsplit(url).netloc, concurrency=4)


def checked(function):
    checks.append(function)
    return function


def auth():
    """Made anew for each call: the client writes into it."""
    return {"Authorization": f"Bearer {token}"}


def probabilities():
    """(n, labels) float32, as POST /predict has them."""
    p = numpy.zeros((len(images), len(labels)), numpy.float32)
    for i, prediction in enumerate(expected["predictions"]):
        for choice in prediction["top"]:
            p[i, choice["index"]] = choice["probability"]
    return p


def tensor(array, datatype="UINT8", binary=True, name="image"):
    it = triton.InferInput(name, array.shape, datatype)
    numpy_type = {"UINT8": numpy.uint8, "FP32": numpy.float32, "INT64": numpy.int64}[datatype]
    return it.set_data_from_numpy(array.astype(numpy_type), binary_data=binary)


def infer(array=images, outputs=None, **options):
    if not isinstance(array, triton.InferInput):
        array = tensor(array)
    return client.infer(options.pop("name", model), [array], outputs=outputs,
                        headers=options.pop("headers", auth()), **options)


def same_bits(a, b):
    assert a.dtype == b.dtype and a.shape == b.shape, (a.dtype, a.shape, b.dtype, b.shape)
    assert a.tobytes() == b.tobytes(), f"{numpy.count_nonzero(a != b)} of {a.size} differ"


def texts(array):
    return [text.decode() if isinstance(text, bytes) else text for text in array.flatten()]


def refused(status, sentence, *arguments, **options):
    try:
        infer(*arguments, **options)
    except InferenceServerException as e:
        assert e.status() == str(status) and sentence in e.message(), e
    else:
        raise AssertionError("it was answered")


@checked
def the_server_is_live_and_ready_without_a_token():
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)


@checked
def the_model_is_ready_by_its_version_too():
    assert client.is_model_ready(model, digest[7:19])
    assert not client.is_model_ready(model, "1") and not client.is_model_ready("nobody")


@checked
def the_server_says_what_it_is():
    about = client.get_server_metadata()
    assert about["name"] == "munkeyd", about
    assert about["extensions"] == ["binary_tensor_data", "classification"], about


@checked
def the_model_says_what_it_takes_and_gives():
    n = -1 if "open" in model_labels() else len(labels)
    about = client.get_model_metadata(model, headers=auth())
    assert about["versions"] == [digest[7:19]] and about["platform"], about
    assert about["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, 28, 28, 1]}]
    assert [(o["name"], o["datatype"], o["shape"]) for o in about["outputs"]] == [
        ("probabilities", "FP32", [-1, n]), ("label", "BYTES", [-1]), ("index", "INT64", [-1]),
        ("labels", "BYTES", [n])], about


def model_labels():
    with urlopen(f"{url}/version") as reply:
        return json.load(reply)["model"].get("labels", "closed")


@checked
def every_form_has_the_bits_of_predict():
    for datatype, sent, got in itertools.product(("UINT8", "FP32"), (0, 1), (0, 1)):
        outputs = [triton.InferRequestedOutput("probabilities", binary_data=bool(got))]
        result = infer(tensor(images, datatype, bool(sent)), outputs)
        same_bits(result.as_numpy("probabilities"), probabilities())


@checked
def all_outputs_come_in_bytes_when_none_is_named():
    result = infer()
    outputs = result.get_response()["outputs"]
    assert [o["name"] for o in outputs] == ["probabilities", "label", "index", "labels"], outputs
    assert all("binary_data_size" in o["parameters"] for o in outputs), outputs
    same_bits(result.as_numpy("probabilities"), probabilities())
    assert texts(result.as_numpy("labels")) == labels
    assert texts(result.as_numpy("label")) == [p["label"] for p in expected["predictions"]]
    assert result.as_numpy("index").tolist() == [p["index"] for p in expected["predictions"]]
    assert result.as_numpy("index").dtype == numpy.int64


@checked
def outputs_come_as_they_are_asked_for():
    result = infer(outputs=[triton.InferRequestedOutput("index", binary_data=False),
                            triton.InferRequestedOutput("label")])
    assert [o["name"] for o in result.get_response()["outputs"]] == ["index", "label"]
    assert result.as_numpy("probabilities") is None


@checked
def the_reply_says_what_it_rests_on():
    about = infer(request_id="request 42").get_response()
    assert about["id"] == "request 42" and about["model_name"] == model, about
    assert about["model_version"] == digest[7:19], about
    assert about["parameters"] == {
        "model_digest": digest, "memory_n": expected["memory"]["n"],
        "memory_digest": expected["memory"]["digest"]}, about
    assert "id" not in infer().get_response()


@checked
def one_image_needs_no_batch():
    same_bits(infer(images[0]).as_numpy("probabilities"), probabilities()[:1])


@checked
def classification_names_the_likeliest():
    asked = [triton.InferRequestedOutput("probabilities", class_count=2)]
    got = infer(outputs=asked).as_numpy("probabilities")
    assert got.shape == (len(images), 2), got.shape
    for row, prediction in zip(got, expected["predictions"]):
        for text, choice in zip(texts(row), prediction["top"]):
            p, index, label = text.split(":", 2)
            assert numpy.float32(p) == numpy.float32(choice["probability"]), text
            assert (int(index), label) == (choice["index"], choice["label"]), text


@checked
def many_at_once_are_answered_alike():
    waiting = [client.async_infer(model, [tensor(images[i:i + 1])], headers=auth())
               for i in range(8)]
    for i, result in enumerate(waiting):
        same_bits(result.get_result().as_numpy("probabilities"), probabilities()[i:i + 1])


@checked
def what_is_wrong_is_said():
    refused(404, "there is no model of this name here", name="nobody")
    refused(404, "the model has no such version", model_version="1")
    refused(401, "with the scope `predict`", headers={})
    refused(401, "not known here", headers={"Authorization": "Bearer mk_nobody"})
    refused(422, "has to be [n, 28, 28, 1]", images.reshape(-1, 784))
    refused(400, "has to be UINT8 or FP32", tensor(images, "INT64"))
    refused(400, "the input has to have the name `image`", tensor(images, name="x"))
    refused(400, "is not from 0 to 255", tensor(images - 300.0, "FP32"))
    refused(400, "known are: probabilities", outputs=[triton.InferRequestedOutput("logits")])
    refused(400, "known are: binary_data_output", priority=1)
    refused(413, "is the limit", numpy.zeros((257, 28, 28, 1), numpy.uint8))
    refused(415, "Content-Encoding", request_compression_algorithm="gzip")


@checked
def after_all_that_it_still_answers():
    every_form_has_the_bits_of_predict()


for check in checks:
    sentence = check.__name__.replace("_", " ")
    try:
        check()
        print(f"ok {sentence}")
    except Exception as e:
        print(f"not ok {sentence}: {e!r}".replace("\n", " "))
