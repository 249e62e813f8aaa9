#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""munkey-train's encoder step for profile F in PyTorch: prints milliseconds per image.

    tests/bench_torch.py THREADS STEPS

The same model (docs/MODEL.md): stem, 49 image tokens, one exemplar and one readout row that see
what they see there, four layers of which the last computes the readout alone, AdamW, clipping,
weight average, batch of 128, fp32.  The images are random and need no augmentation, which favours
PyTorch a little.
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

D, HEADS, HIDDEN, LAYERS, T, CLASSES, BATCH, WARM_UP = 128, 4, 256, 4, 49, 10, 128, 5


class Layer(nn.Module):
    def __init__(self, last):
        super().__init__()
        self.last = last
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.q, self.kv, self.out = nn.Linear(D, D), nn.Linear(D, 2 * D), nn.Linear(D, D)
        self.up, self.down = nn.Linear(D, HIDDEN), nn.Linear(HIDDEN, D)

    def forward(self, x, mask):
        y = self.norm1(x)
        if self.last:
            x, asks, mask = x[:, -1:], y[:, -1:], mask[-1:]
        else:
            asks = y
        heads = lambda z: z.unflatten(-1, (HEADS, -1)).transpose(1, 2)
        k, v = self.kv(y).chunk(2, -1)
        mixed = F.scaled_dot_product_attention(heads(self.q(asks)), heads(k), heads(v), mask)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        up = self.up(self.norm2(x))
        return x + self.down(up * torch.sigmoid(1.702 * up))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 2, 1)
        self.conv2 = nn.Conv2d(32, D, 3, 2, 1)
        self.position = nn.Parameter(0.02 * torch.randn(T, D))
        self.rows = nn.Parameter(0.02 * torch.randn(2, D))  # null token, readout
        self.layers = nn.ModuleList(Layer(i + 1 == LAYERS) for i in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(D), nn.Linear(D, CLASSES)
        mask = torch.zeros(T + 2, T + 2, dtype=torch.bool)
        mask[:, :T] = mask[T, T] = mask[T + 1, T:] = True
        self.register_buffer("mask", mask)

    def forward(self, images):
        x = self.conv2(F.relu(self.conv1(images))).flatten(2).transpose(1, 2) + self.position
        x = torch.cat([x, self.rows.expand(len(x), -1, -1)], 1)
        for layer in self.layers:
            x = layer(x, self.mask)
        return self.head(self.norm(x[:, 0]))


def main():
    threads, steps = int(sys.argv[1]), int(sys.argv[2])
    torch.manual_seed(1)
    torch.set_num_threads(threads)
    model = Encoder()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, (0.9, 0.99), weight_decay=0.05)
    parameters = list(model.parameters())
    average = [p.detach().clone() for p in parameters]
    images = torch.rand(BATCH, 1, 28, 28)
    labels = torch.randint(0, CLASSES, (BATCH,))
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            began = time.perf_counter()
        loss = F.cross_entropy(model(images), labels, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, parameters, 1e-3)
    passed = time.perf_counter() - began
    print(f"{1000 * passed / steps / BATCH:.4f} torch {torch.__version__}")


main()
