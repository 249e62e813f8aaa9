# SPDX-License-Identifier: Apache-2.0
"""Lines of a study that never ran: made up, to test the report.  report_lines.py >results.jsonl"""
import json
import math
import random
import statistics

NORMAL = statistics.NormalDist()
# method: oracle, distance from the oracle in points, distance of members in SDs, seconds, bytes
METHODS = {
    "munkey": ("munkey", 0.42, 0.03, 0.0013, 180),
    "munkey-before": ("munkey", 24.0, 2.9, 0, 180),
    "munkey-oracle": ("munkey", 0.31, 0.015, 641, 0),
    "munkey-exact": ("self", 0.0, 0.0, 0.0011, 180),
    "plain": ("plain", 4.1, 0.35, 0, 0),
    "plain-oracle": ("plain", 0.36, 0.015, 412, 0),
    "finetune": ("plain", 2.9, 0.25, 38, 3136),
    "neggrad": ("plain", 6.2, -0.4, 4.1, 3136),
    "neggrad+": ("plain", 1.7, 0.12, 39, 3136),
    "random-labels": ("plain", 3.4, -0.3, 36, 3136),
    "salun": ("plain", 1.1, 0.07, 40, 3136),
    "scrub": ("plain", 0.92, 0.06, 41, 3136),
    "ssd": ("plain", 3.8, 0.3, 9.5, 3136),
    "l1-sparse": ("plain", 2.2, 0.2, 40, 3136),
    "knn": ("self", 0.0, 0.0, 0.0009, 136),
    "knn-lm": ("knn-lm", 2.4, 0.22, 0.0009, 136),
    "rac": ("rac", 2.0, 0.2, 0.0009, 136),
    "sisa": ("self", 0.0, 0.0, 410, 3136),
}
FORGETS = {"random-1": (1, [1]), "random-10": (10, [1, 2, 3]), "random-50": (50, [1]), "class-3": (10, [1])}
time = 1795485600


def near(value, sd):
    return round(min(100, max(0, random.gauss(value, sd))), 3)


def roc(distance):
    points = [(100 * 10 ** (-3 + i / 10)) for i in range(31)]
    return [[round(x, 4), round(100 * NORMAL.cdf(NORMAL.inv_cdf(min(.999999, x / 100)) + distance), 4)]
            for x in points[:-1]] + [[100, 100]]


def attack(distance):
    distance = random.gauss(distance, .015)
    return {"auroc": near(100 * NORMAL.cdf(.8 * distance / math.sqrt(2)), .2),
            "rmia": round(100 * NORMAL.cdf(distance / math.sqrt(2)), 3),
            "tpr": round(100 * NORMAL.cdf(NORMAL.inv_cdf(.01) + distance), 3),
            "null_sd": 0.8, "roc": roc(distance)}


def line(kind, key, **members):
    global time
    time += 7
    print(json.dumps({"kind": kind, "id": f"{kind}/{key}", "time": time, **members}, ensure_ascii=False))


def training():
    for seed in 1, 2, 3:
        for model in "munkey", "munkey-exact", "munkey-oracle-1", "munkey-oracle-2", "plain", "plain-oracle-1", "plain-oracle-2":
            line("training", f"{seed}/random-10/{model}", seed=seed, model=model, settings_sha256="00",
                 forget="random-10" if "oracle" in model else "", rows=13500, seconds=near(90, 3) + 500)


def forgetting():
    for forget, (share, seeds) in FORGETS.items():
        for seed in seeds:
            for method, (oracle, gap, distance, seconds, size) in METHODS.items():
                if forget != "random-10" and METHODS[method][0] not in ("munkey", "plain"):
                    continue
                scale = math.sqrt(share / 10) if gap else 0
                ta = 89.4 if "munkey" in method else 88.1
                extra = {"different": 0} if oracle == "self" else {}
                line("forgetting", f"{seed}/{forget}/{method}", seed=seed, forget=forget, method=method,
                     oracle=oracle, share=share, forgotten=150 * share, ta=near(ta - .04 * share - .3 * gap * scale, .15),
                     ra=near(95.6, .2), fa=near(ta + gap * scale, .3), gap=abs(near(gap * scale, .04 * gap)),
                     agreement=near(95 - gap, .3), kl=round(abs(random.gauss(.04 + .03 * gap, .003)), 5) if gap else 0,
                     seconds=round(seconds * random.uniform(.95, 1.05), 6), bytes=size,
                     knobs="rate 0.001 retain 0.95" if seconds and oracle == "plain" else "", **attack(distance), **extra)


def attacks():
    for seed in 1, 2, 3:
        for view, before, after in ("full", 2.9, .03), ("null", .06, .06), ("memory", 3.1, .01):
            for when, distance in ("before", before), ("after", after), ("difference", before / 2):
                for method in ("munkey", "munkey-oracle")[:2 if when == "after" else 1]:
                    line("attack", f"{seed}/random-10/{method}/{view}/{when}", seed=seed, forget="random-10", method=method,
                         view=view, when=when, **attack(distance if method == "munkey" else 0))


def passes():
    for seed in 1, 2, 3:
        for rows, when, full, null, memory in (
                ("test", "before", 89.6, 87.6, 84.3), ("test", "after", 89.4, 87.6, 84.0),
                ("retain", "before", 99.1, 93.0, 99.0), ("retain", "after", 99.0, 93.0, 99.0),
                ("forget", "before", 99.1, 92.8, 99.0), ("forget", "after", 89.9, 92.8, 84.1)):
            line("passes", f"{seed}/random-10/{rows}/{when}", seed=seed, forget="random-10", rows=rows, when=when,
                 full=near(full, .15), null=near(null, .15), memory=near(memory, .2), knn=near(85, .2))


def others():
    for seed in 1, 2, 3:
        line("exact", f"{seed}/random-10", seed=seed, forget="random-10", enrolled=10000, forgotten=1000, queries=10000,
             different=0, gap=0)
    for seed in 1, 2, 3:
        for share in 10, 25, 50, 75, 100:
            line("price", f"{seed}/{share}", seed=seed, share=share, ta=near(84.4 + 2.2 * math.log10(share) + .4, .2),
                 null=near(78 + 5 * math.log10(share), .2))
    for name, values in (("attention", "asym sym"), ("tokens", "writer free"), ("retrieve", "leave-out self"),
                         ("k", "0 1 2 4 8"), ("aggregation", "softmax mean rank paper"), ("suppress-self", "no yes"),
                         ("keys", "int8 fp32")):
        for i, value in enumerate(values.split()):
            line("ablation", f"1/{name}/{value}", seed=1, name=name, value=value, trained=name in "attention tokens retrieve",
                 ta=near(89.4 - .5 * (i % 3), .2), null=near(87.6, .1), before=near(97 - 10 * i, 1))
    for method in "finetune neggrad neggrad+ salun scrub ssd l1-sparse".split():
        for number in range(6):
            line("tuning", f"1/random-10/{method}/{number}", seed=1, forget="random-10", method=method, number=number,
                 knobs=f"rate {10 ** -(number % 3 + 2):g}", gap=near(METHODS[method][1] + .3 * number, .1), ta=near(88, .3),
                 seconds=30.5)
    line("cost", "1", seed=1, passes=1.17, classifier=0.0009, with_memory=0.00105, encoder=0.0009, prediction=0.0021,
         searched=15000, record_bytes=180, paper_bytes=3584)


random.seed(5)
line("study", "made-up", study="made-up", dataset="made up for a test", command="munkey-eval made-up.json --out FOLDER",
     machine="none: nobody measured this", date="2026-11-24", version="0.1.0", threads=2, images=20000, tests=10000,
     classes=10, public=4000, members=15000, held_out=1000, profile="F", sizes={"height": 28, "d": 64, "layers": 4},
     epochs=10, oracles=2, seeds=[1, 2, 3], data_sha256="00")
training()
forgetting()
attacks()
passes()
others()
