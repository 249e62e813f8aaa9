#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The model once more, in numpy and double precision, from docs/MODEL.md alone.

    tests/golden/model.py models/fashion-mnist-T.safetensors > tests/golden/model.json

Writes inputs and what the model must answer; tests/test_golden.c compares.  Nothing here is
shared with core/: an error would have to be made twice to go unseen.
"""
import json
import struct
import sys

import numpy as np


def read_safetensors(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    meta = header.pop("__metadata__")
    tensors = {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        raw = data[8 + size + begin : 8 + size + end]
        tensors[name] = np.frombuffer(raw, "<f4").astype(float).reshape(t["shape"])
    return meta, tensors


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def gelu(x):
    return x / (1 + np.exp(-1.702 * x))


def convolve(x, w, b):
    """3x3, stride 2, padding 1; w: (ky kx channel, out)."""
    h, wd, c = x.shape
    padded = np.zeros((h + 2, wd + 2, c))
    padded[1:-1, 1:-1] = x
    rows = [
        [padded[i : i + 3, j : j + 3].reshape(-1) @ w + b for j in range(0, wd, 2)]
        for i in range(0, h, 2)
    ]
    return np.array(rows)


class Net:
    def __init__(self, tensors, prefix, heads):
        self.t = {k[len(prefix) + 1 :]: v for k, v in tensors.items() if k.startswith(prefix + ".")}
        self.heads = heads

    def norm(self, x, name):
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-5) * self.t[name + ".weight"] + self.t[name + ".bias"]

    def linear(self, x, name):
        return x @ self.t[name + ".weight"] + self.t[name + ".bias"]

    def attend(self, x, mask, layer):
        q = self.linear(x, f"layer.{layer}.q")
        k, v = np.split(self.linear(x, f"layer.{layer}.kv"), 2, axis=1)
        size = q.shape[1] // self.heads
        out = []
        for h in range(self.heads):
            cut = slice(h * size, (h + 1) * size)
            scores = q[:, cut] @ k[:, cut].T / np.sqrt(size)
            out.append(softmax(np.where(mask, scores, -np.inf)) @ v[:, cut])
        return self.linear(np.concatenate(out, 1), f"layer.{layer}.out")

    def readouts(self, pixels, exemplars, symmetric=False):
        """One readout per pass; each sees the image, its exemplar and itself."""
        x = convolve(pixels / 128.0, self.t["conv1.weight"], self.t["conv1.bias"])
        x = convolve(np.maximum(x, 0), self.t["conv2.weight"], self.t["conv2.bias"])
        image = x.reshape(-1, x.shape[-1]) + self.t["position"]
        if symmetric and len(exemplars) > 1:
            return np.concatenate([self.readouts(pixels, [e], True) for e in exemplars])
        tokens, passes = len(image), len(exemplars)
        rows = [image] + [r[None] for e in exemplars for r in (e, self.t["readout"])]
        x = np.concatenate(rows)
        mask = np.zeros((len(x), len(x)), bool)
        mask[:, :tokens] = True
        for j in range(passes):
            e, r = tokens + 2 * j, tokens + 2 * j + 1
            mask[e, e] = mask[r, e] = mask[r, r] = True
        mask |= symmetric
        layers = 1 + max(int(n.split(".")[1]) for n in self.t if n.startswith("layer."))
        for i in range(layers):
            x = x + self.attend(self.norm(x, f"layer.{i}.norm1"), mask, i)
            hidden = gelu(self.linear(self.norm(x, f"layer.{i}.norm2"), f"layer.{i}.up"))
            x = x + self.linear(hidden, f"layer.{i}.down")
        return self.norm(x, "norm")[tokens + 1 :: 2]


def make_key(encoder, pca, pixels):
    readout = encoder.readouts(pixels, [encoder.t["null"]])[0]
    key = (readout - pca["pca.mean"]) @ pca["pca.matrix"]
    return key / np.linalg.norm(key)


def write_exemplar(t, hit):
    """v = U2 gelu(U1 [key ; lab[y]] + c1) + c2;  e = v We + be + s simvec."""
    key = np.array(hit["q"]) * hit["scale"]
    x = np.concatenate([key, t["writer.label"][hit["label"]]])
    v = gelu(x @ t["writer.u1.weight"] + t["writer.u1.bias"])
    v = v @ t["writer.u2.weight"] + t["writer.u2.bias"]
    e = v @ t["writer.exemplar.weight"] + t["writer.exemplar.bias"]
    return e + hit["similarity"] * t["writer.similarity"]


def main():
    meta, t = read_safetensors(sys.argv[1])
    heads, k = int(meta["heads"]), int(meta["k"])
    size = int(meta["height"]), int(meta["width"]), int(meta["channels"])
    random = np.random.default_rng(20260315)
    encoder, classifier = Net(t, "encoder", heads), Net(t, "classifier", heads)
    key_dim = t["pca.matrix"].shape[1]
    cases = []
    for n_hits in [0, 1, k, k]:
        coarse = random.integers(0, 256, (7, 7, 1))
        pixels = np.kron(coarse, np.ones((4, 4, 1), int))[: size[0], : size[1]]
        hits = []
        for _ in range(n_hits):
            q = random.integers(-127, 128, key_dim)
            scale = float(np.float32(1 / np.linalg.norm(q)))
            similarity = float(np.float32(random.uniform(0.2, 0.95)))
            label = int(random.integers(0, int(meta["classes"])))
            hits.append({"q": q.tolist(), "scale": scale, "similarity": similarity, "label": label})
        exemplars = [classifier.t["null"]] + [write_exemplar(t, h) for h in hits]
        exemplars += [classifier.t["null"]] * (k - n_hits)
        logits = classifier.linear(classifier.readouts(pixels, exemplars), "head")
        symmetric = classifier.linear(classifier.readouts(pixels, exemplars, True), "head")
        cases.append(
            {
                "pixels": pixels.reshape(-1).tolist(),
                "key": make_key(encoder, t, pixels).round(7).tolist(),
                "hits": hits,
                "passes": softmax(logits).round(7).tolist(),
                "symmetric": softmax(symmetric).round(7).tolist(),
            }
        )
    json.dump({"model": sys.argv[1].split("/")[-1], "cases": cases}, sys.stdout)
    print()


main()
