# SPDX-License-Identifier: Apache-2.0
"""Looks at a report: report.py CHECK REPORT [LINES].  A report is well-formed XML, too."""
import json
import math
import sys
import xml.etree.ElementTree as tree

T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
COLUMNS = "ta ra fa auroc rmia tpr gap agreement kl seconds bytes".split()
TITLES = {"munkey": "MUNKEY", "munkey-exact": "MUNKEY, exact", "munkey-oracle": "MUNKEY oracle", "plain-oracle": "ViT oracle",
          "finetune": "Finetune", "neggrad": "NegGrad", "neggrad+": "NegGrad+", "random-labels": "Random labels",
          "salun": "SalUn", "scrub": "SCRUB", "ssd": "SSD", "l1-sparse": "l1-sparse", "bad-teacher": "Bad Teacher",
          "knn": "kNN", "knn-lm": "kNN-LM mixture", "rac": "RAC", "sisa": "SISA", "munkey-before": "MUNKEY, before",
          "plain": "ViT, before"}


def text_of(element):
    return "".join(element.itertext()).replace("\u2605", "").strip()


def value_of(text):
    return float(text.replace("\u2212", "-").replace("\u00b1", "").strip())


def mean_and_half(values):
    n, mean = len(values), sum(values) / len(values)
    return mean, T95[n] * math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n) if n > 1 else None


def tables(root):
    """Of each forget set: its rows by method's title."""
    for region in root.iter("div"):
        table = region.find("table")
        if table is None or table.get("class") != "methods":
            continue
        rows = {text_of(row.find("th")): row.findall("td") for body in table.findall("tbody") for row in body
                if row.find("td") is not None}
        yield region.get("aria-label"), rows


def same(cell, values, where):
    mean, half = mean_and_half(values)
    shown = cell.find("span").text
    digits = len(shown.partition(".")[2])
    assert abs(value_of(shown) - mean) <= .5000001 * 10 ** -digits, (where, shown, mean)
    assert abs(mean) < 1e-4 or digits > 0 or abs(mean) >= 10, (where, shown)
    small = cell.find("small")
    assert (small is None) == (half is None), where
    if half is not None:
        assert abs(value_of(small.text) - half) <= .5000001 * 10 ** -digits + 1e-3 * half, (where, small.text, half)


def numbers(root, lines):
    """Every number of the tables is a mean, or half of an interval, of the lines."""
    names = {"Random 1 %": "random-1", "Random 10 %": "random-10", "Random 50 %": "random-50", "Class 3": "class-3"}
    compared = 0
    for title, rows in tables(root):
        assert title in names, title
        measured = [line for line in lines if line["kind"] == "forgetting" and line["forget"] == names[title]]
        assert set(rows) == {TITLES[line["method"]] for line in measured}
        for method in {line["method"] for line in measured}:
            for member, cell in zip(COLUMNS, rows[TITLES[method]], strict=True):
                same(cell, [line[member] for line in measured if line["method"] == method], (title, method, member))
                compared += 1
    assert compared == len(COLUMNS) * len({(line["forget"], line["method"]) for line in lines if line["kind"] == "forgetting"})
    print(compared, "cells")


def best(root, lines):
    """The stars of the first table stand where the lines have them."""
    _, rows = next(tables(root))
    measured = [line for line in lines if line["kind"] == "forgetting" and line["forget"] == "random-10"]
    mean = {m: {c: mean_and_half([line[c] for line in measured if line["method"] == m])[0] for c in COLUMNS}
            for m in {line["method"] for line in measured}}
    compete = [m for m in mean if m not in ("munkey-oracle", "plain-oracle", "munkey-before", "plain")]
    for column, member in enumerate(COLUMNS):
        def score(m):
            if member in ("ta", "agreement"):
                return -mean[m][member]
            if member in ("gap", "kl", "seconds", "bytes"):
                return mean[m][member]
            oracle = {line["method"]: line["oracle"] for line in measured}[m] + "-oracle"
            return abs(mean[m][member] - mean[oracle][member]) if oracle in mean else math.inf
        least = min(map(score, compete))
        stars = {title for title, cells in rows.items() if cells[column].get("class") == "best"}
        surely = {TITLES[m] for m in compete if score(m) == least}
        assert surely <= stars and len(stars) < len(compete), (member, stars, surely)


def page(root, lines):
    """What readers of all kinds, and reviewers without a network, need."""
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)), "an id stands twice"
    for element in root.iter():
        for attribute in "src", "srcset", "data", "action", "style":
            assert attribute not in element.attrib, (element.tag, attribute)
        assert element.tag not in ("script", "link", "img", "iframe", "object"), element.tag
        assert not any(name.startswith("on") for name in element.attrib)
        if element.tag == "a":
            assert element.get("href")[0] == "#" and element.get("href")[1:] in ids, element.get("href")
        if element.tag == "th":
            assert element.get("scope") and text_of(element), "a heading without scope or text"
        if element.tag == "svg" and element.get("aria-hidden") != "true":
            assert element.find("title").text and element.find("desc").text
            assert all(name in ids for name in element.get("aria-labelledby").split())
    style = root.find("head/style").text
    assert not any(word in style for word in ("url(", "@import", "http")), "the style needs a network"
    everything = tree.tostring(root, encoding="unicode")
    assert not any(word in everything for word in ("nan", "inf\"", "-0.00", "http://", "https://")), "no number, or a link"


def judgements(root):
    return [(item.find("b").text, text_of(item.find("span"))) for item in root.iter("li") if item.find("b") is not None
            and item.find("span") is not None]


def verdict(root, lines):
    for word, sentence in judgements(root):
        print(word, "|", sentence)


def missing(root, lines):
    """Of a study with one line, every part says what it lacks."""
    lacking, section = {}, None
    for element in root.find("body/main"):
        section = element.get("id") if element.tag == "h2" else section
        lacking.setdefault(section, False)
        lacking[section] |= element.get("class") == "missing"
    silent = {name for name, lacks in lacking.items() if not lacks}
    assert silent == {None, "studied", "verdict", "limits"}, silent
    assert all("Not measured" in word for word, sentence in judgements(root)), judgements(root)
    assert any("SISA" in text_of(item) and "differencing" in text_of(item) for item in root.iter("li"))


def hostile(root, lines):
    """Names are text, whatever they are made of."""
    texts = " ".join(root.itertext())
    for name in "</style><script>alert(1)</script>", "\"><svg onload=alert(2)>", "' onclick='x", "&amp;<!--":
        assert name in texts, name


root = tree.parse(sys.argv[2]).getroot()
globals()[sys.argv[1]](root, [json.loads(line) for line in open(sys.argv[3])] if len(sys.argv) > 3 else [])
