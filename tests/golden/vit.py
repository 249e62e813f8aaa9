#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small Vision Transformers with random weights, and what Hugging Face transformers makes of
a few pictures.

    python3 -m venv VENV && VENV/bin/pip install torch transformers pillow safetensors
    VENV/bin/python tests/golden/vit.py tests/golden/vit
    VENV/bin/python tests/golden/vit.py --time FOLDER THREADS      ms per image, for comparison

Writes, for each of CASES, a folder as save_pretrained() does, and expected.json;
tests/test_vit.c compares.  The files here are from torch 2.15.0 and transformers 5.23.0.
"""
import json
import os
import shutil
import sys
import time

import numpy as np
import torch
from transformers import ViTConfig, ViTForImageClassification, ViTModel
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

CASES = {
    "a": dict(
        kind=ViTForImageClassification,
        config=dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                    intermediate_size=64, image_size=32, patch_size=8, num_labels=5),
        mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225],
        pictures=[(32, 32, 3), (71, 53, 3), (20, 28, 1)],
    ),
    "b": dict(
        kind=ViTModel,
        config=dict(hidden_size=48, num_hidden_layers=3, num_attention_heads=4,
                    intermediate_size=64, image_size=48, patch_size=16, num_channels=1,
                    hidden_act="gelu_new", layer_norm_eps=0.05, qkv_bias=False),
        mean=[0.5], std=[0.5],
        pictures=[(28, 28, 1), (49, 200, 1)],
    ),
    "c": dict(
        kind=ViTForImageClassification,
        config=dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=1,
                    intermediate_size=32, image_size=48, patch_size=8, num_channels=1,
                    hidden_act="quick_gelu", num_labels=3),
        mean=[0.1307], std=[0.3081],
        pictures=[(48, 48, 1), (5, 150, 1)],
    ),
}


def picture(height, width, channels):
    """The same numbers in tests/test_vit.c."""
    y, x, c = np.meshgrid(*map(np.arange, (height, width, channels)), indexing="ij")
    return ((3 * x * x + 5 * y * y + 7 * x * y + 31 * c) // 4 % 256).astype(np.uint8)


def randomise(model):
    """Weights large enough that attention prefers something."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.normal_(1 if "norm" in name and "weight" in name else 0, 0.2)


def preprocess(processor, pixels, channels):
    planes = np.repeat(pixels, channels // pixels.shape[2], axis=2) if pixels.shape[2] == 1 else pixels
    form = "channels_last"
    return processor(planes, return_tensors="pt", input_data_format=form)["pixel_values"]


def answer(case, model, processor, size):
    channels = model.config.num_channels
    x = preprocess(processor, picture(*size), channels)
    base = model.vit if hasattr(model, "vit") else model
    with torch.no_grad():
        z = base(x).last_hidden_state[:, 0]
        logits = model.classifier(z)[0].tolist() if hasattr(model, "vit") else []
        assert not logits or torch.allclose(model(x).logits[0], torch.tensor(logits))
    mean, std = (torch.tensor(case[k]).view(1, -1, 1, 1) for k in ("mean", "std"))
    levels = ((x * std + mean) * 255).round().to(torch.uint8)
    return {
        "height": size[0], "width": size[1], "channels": size[2],
        "levels": levels.numpy().tobytes().hex(),
        "every_97th": x.flatten()[::97].tolist(),
        "embedding": z[0].tolist(),
        "logits": logits,
    }


def write(folder):
    torch.manual_seed(20260315)
    for name, case in CASES.items():
        to = os.path.join(folder, name)
        shutil.rmtree(to, ignore_errors=True)
        model = case["kind"](ViTConfig(**case["config"])).eval()
        randomise(model)
        side = model.config.image_size
        processor = ViTImageProcessorPil(size={"height": side, "width": side},
                                         image_mean=case["mean"], image_std=case["std"])
        model.save_pretrained(to)
        processor.save_pretrained(to)
        answers = [answer(case, model, processor, s) for s in case["pictures"]]
        with open(os.path.join(to, "expected.json"), "w") as out:
            json.dump(answers, out)
            out.write("\n")


def measure(folder, threads):
    torch.set_num_threads(threads)
    model = ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
    x = torch.zeros(1, model.config.num_channels, model.config.image_size, model.config.image_size)
    times = []
    with torch.no_grad():
        for _ in range(12):
            start = time.perf_counter()
            model(x)
            times.append(time.perf_counter() - start)
    print(f"transformers: {1000 * sorted(times)[len(times) // 2]:.0f} ms per image, "
          f"one at a time, {threads} thread(s)")


if sys.argv[1] == "--time":
    measure(sys.argv[2], int(sys.argv[3]))
else:
    write(sys.argv[1])
