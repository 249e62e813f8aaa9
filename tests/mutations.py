# SPDX-License-Identifier: Apache-2.0
"""Mutates receipts, proofs, checkpoints and whole logs, and gives them to every verifier.

    python3 mutations.py MUNKEYCTL STRANGERS URL KEPT ROTATED PROVED [SEED]

KEPT is what tests/story_strangers.sh kept of a log whose keys were rotated at entry ROTATED.
Prints what was accepted, and how many mutations there were; fails when one was accepted.
"""
import base64
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

munkeyctl, strangers, url, kept = sys.argv[1:5]
rotated, proved = int(sys.argv[5]), int(sys.argv[6])
seed = int(sys.argv[7]) if len(sys.argv) > 7 else random.SystemRandom().randrange(1 << 32)
rng = random.Random(seed)
work = tempfile.mkdtemp()
ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519's group


def load(path, mode="r"):
    with open(os.path.join(kept, path), mode) as file:
        return file.read()


def save(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


# ---- bytes and text


def flip(data):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]


def b64(data):
    return base64.b64encode(data).decode()


def url64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unurl64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def replaced(text, at, by):
    return text[:at] + by + text[at + 1:]


def trailing_bits(text):
    """The same bytes, spelt with another last character of base64."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    alphabet += "-_" if set(text) & set("-_") else "+/"
    at = len(text.rstrip("=")) - 1
    return replaced(text, at, alphabet[alphabet.index(text[at]) ^ 1])


def malleable(signature):
    s = int.from_bytes(signature[32:], "little") + ORDER
    return signature[:32] + s.to_bytes(32, "little")


# ---- the log


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf(entry):
    return sha256(b"\0" + entry)


def root(hashes):
    if len(hashes) <= 1:
        return hashes[0] if hashes else sha256(b"")
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\1" + root(hashes[:k]) + root(hashes[k:]))


def inclusion(index, hashes):
    if len(hashes) == 1:
        return []
    k = 1 << (len(hashes) - 1).bit_length() - 1
    if index < k:
        return inclusion(index, hashes[:k]) + [root(hashes[k:])]
    return inclusion(index - k, hashes[k:]) + [root(hashes[:k])]


def consistency(size, hashes, whole=True):
    if size == len(hashes):
        return [] if whole else [root(hashes)]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    if size <= k:
        return consistency(size, hashes[:k], whole) + [root(hashes[k:])]
    return consistency(size - k, hashes[k:], False) + [root(hashes[:k])]


def lines(hashes):
    return "".join(b64(one) + "\n" for one in hashes)


def split(data):
    entries = []
    while data:
        end = 2 + struct.unpack(">H", data[:2])[0]
        entries.append(data[2:end])
        data = data[end:]
    return entries


def join(entries):
    return b"".join(struct.pack(">H", len(one)) + one for one in entries)


def head(checkpoint):
    """Origin, size and root; and the lines of signatures."""
    text, _, signatures = checkpoint.partition("\n\n")
    return text.split("\n"), signatures


def restated(checkpoint, size, hash):
    (origin, _, _), signatures = head(checkpoint)
    return f"{origin}\n{size}\n{b64(hash)}\n\n{signatures}"


def signed(checkpoint, size, hash, key):
    (origin, _, _), _ = head(checkpoint)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = f"{origin}\n{size}\n{b64(hash)}\n"
    name = sha256(origin.encode() + b"\n\1" + public)[:4]
    return f"{text}\n\u2014 {origin} {b64(name + key.sign(text.encode()))}\n"


def tile(hashes, n):
    part = hashes[256 * n:256 * n + 256]
    return f"{n:03d}" + ("" if len(part) == 256 else f".p/{len(part)}"), part


def write_log(folder, entries, checkpoint, seen=None, files=()):
    """A log as munkeyctl reads it and as URLs give it; files replace others, None removes."""
    hashes = [leaf(one) for one in entries]
    note = {"checkpoint": checkpoint, "entries": join(entries), "seen": seen or load("seen"),
            f"rotation-{rotated}": load(f"rotation-{rotated}"), "log/checkpoint": checkpoint}
    for n in range((len(entries) + 255) // 256):
        name, part = tile(hashes, n)
        note[f"log/tile/0/{name}"] = b"".join(part)
        note[f"log/tile/entries/{name}"] = join(tile(entries, n)[1])
    full = [root(hashes[at:at + 256]) for at in range(0, len(hashes) - 255, 256)]
    note[f"log/tile/1/000.p/{len(full)}"] = b"".join(full)
    old = int(head(note["seen"])[0][1])
    if old <= len(hashes):
        note[f"log/consistency?from={old}&to={len(hashes)}"] = lines(consistency(old, hashes))
    if proved < len(hashes):
        note[f"log/proof/{proved}"] = (f"c2sp.org/tlog-proof@v1\nindex {proved}\n"
                                       f"{lines(inclusion(proved, hashes))}\n{checkpoint}")
    for path, data in {**note, **dict(files)}.items():
        if data is not None:
            save(os.path.join(folder, path), data)


# ---- the verifiers: whether they accept


def ran(*command):
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            check=False).returncode
    if status not in (0, 1, 2):
        raise SystemExit(f"{command} ended with {status}")
    return status == 0


def by_munkeyctl(folder, vkeys=f"{kept}/vkeys"):
    return ran(munkeyctl, "verify", f"{folder}/reply", "--jwks", f"{kept}/jwks", "--vkey", vkeys)


def by_daemon(folder):
    with open(f"{folder}/reply", encoding="utf-8") as file:
        reply = json.load(file)
    body = {"receipt": reply["receipt"], "opening": reply["opening"], "proof": reply["log"]["proof"]}
    request = urllib.request.Request(f"{url}/receipts/verify", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["valid"]
    except urllib.error.HTTPError as error:
        if error.code != 400:
            raise
        return False


def start_console():
    """The verifier of the page at /, run by node: one process for all mutations."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "console", "receipts.mjs")
    return subprocess.Popen(["node", script, f"{kept}/jwks", f"{kept}/vkeys"], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)


console = start_console() if shutil.which("node") else None


def by_console(folder):
    with open(f"{folder}/reply", encoding="utf-8") as file:
        console.stdin.write(json.dumps(json.load(file)) + "\n")
    console.stdin.flush()
    return {"true": True, "false": False}[console.stdout.readline().strip()]


of_receipts = (by_munkeyctl, by_daemon) + ((by_console,) if console else ())


def by_audit(folder, *more):
    return ran(munkeyctl, "log", "verify", folder, "--vkey", f"{kept}/vkey.first",
               "--seen", f"{folder}/seen", *more)


def by_audit_of_receipt(folder):
    shutil.copy(f"{folder}/reply", f"{folder}/receipts/reply")
    return by_audit(kept, "--jwks", f"{kept}/jwks", "--receipts", f"{folder}/receipts")


def by_go(folder):
    return ran(strangers, folder, f"{kept}/vkeys", f"{folder}/seen", str(proved))


count, accepted = 0, []


def attempt(name, write, *verifiers):
    """One mutation; write makes its files in a folder."""
    global count
    count += 1
    folder = f"{work}/{count}"
    os.makedirs(f"{folder}/receipts")
    write(folder)
    accepted.extend(f"{name} ({verifier.__name__})" for verifier in verifiers if verifier(folder))
    shutil.rmtree(folder)


# ---- receipts, openings, proofs

replies = {name: json.loads(load(f"receipts/{name}.json")) for name in ("before-3", "after-3")}
others = {"before-3": json.loads(load("receipts/before-5.json")),
          "after-3": json.loads(load("receipts/after-5.json"))}


def try_reply(name, reply):
    originals = list(replies.values()) + list(others.values())
    assert all(reply != one for one in originals), f"{name} changes nothing"
    attempt(name, lambda folder: save(f"{folder}/reply", json.dumps(reply)), *of_receipts)


def try_part(name, reply, path, value):
    mutant = json.loads(json.dumps(reply))
    place = mutant
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    try_reply(f"{name} of {'.'.join(path)}", mutant)


def mutate_receipt(reply, other):
    receipt = reply["receipt"]
    header, payload, signature = receipt.split(".")

    def part(name, value):
        try_part(name, reply, ["receipt"], value)

    for i, text in enumerate((header, payload, signature)):
        for _ in range(8):
            parts = [header, payload, signature]
            parts[i] = url64(flip(unurl64(text)))
            part("a flipped bit", ".".join(parts))
        if len(text) % 4:
            parts = [header, payload, signature]
            parts[i] = trailing_bits(text)
            part("other trailing bits", ".".join(parts))
    for at in (1, len(header), len(receipt) // 2, len(receipt) - 1):
        part("a cut", receipt[:at])
    for suffix in ("=", "==", ".", "\n", " ", "A", ".A"):
        part("a suffix", receipt + suffix)
    part("a prefix", " " + receipt)
    part("a line break", receipt[:90] + "\n" + receipt[90:])
    if set(receipt) & set("-_"):
        part("standard base64", receipt.replace("-", "+").replace("_", "/"))
    part("a signature plus the group's order", f"{header}.{payload}.{url64(malleable(unurl64(signature)))}")
    part("another's signature", f"{header}.{payload}.{other['receipt'].split('.')[2]}")
    part("another's payload", f"{header}.{other['receipt'].split('.')[1]}.{signature}")
    part("no signature", f"{header}.{payload}.")
    for old, new in (('"EdDSA"', '"none"'), ('"EdDSA"', '"HS256"'), ("munkeyd-receipt+jws", "JWT"),
                     (",", ", "), ("{", '{"crit":[],')):
        part("another header", url64(unurl64(header).replace(old.encode(), new.encode(), 1)) + f".{payload}.{signature}")
    for old, new in ((b'"act":"erase"', b'"act":"not_held"'), (b'"v":1', b'"v":2'), (b",", b", "),
                     (b'"exact":1', b'"exact":2'), (b"}", b"}\n"), (b'"scope":"memory"', b'"scope":"all"')):
        part("another payload", f"{header}.{url64(unurl64(payload).replace(old, new, 1))}.{signature}")


def mutate_opening(reply, other):
    opening = reply["opening"]
    for name in ("subject", "request", "salt"):
        value = opening[name]
        for mutant in (value + "x", value[:-1], " " + value, value + " ", value.swapcase(),
                       other["opening"][name] if name != "salt" else value + "=", ""):
            if mutant != value:
                try_part("another text", reply, ["opening", name], mutant)
    try_part("other trailing bits", reply, ["opening", "salt"], trailing_bits(opening["salt"]))
    for _ in range(4):
        try_part("a flipped bit", reply, ["opening", "salt"], url64(flip(unurl64(opening["salt"]))))
    try_part("swapped names", reply, ["opening"],
             {"subject": opening["request"], "request": opening["subject"], "salt": opening["salt"]})
    try_part("another's", reply, ["opening"], other["opening"])


def proof_mutants(proof):
    """Names and texts; what a verifier of proofs alone has to see."""
    first, index, rest = proof.split("\n", 2)
    path, _, checkpoint = rest.partition("\n\n")
    hashes = path.split("\n")
    number = int(index.split()[1])

    def with_path(new):
        return "\n".join([first, index] + new) + "\n\n" + checkpoint

    for text in (number - 1, number + 1, f"0{number}", f"+{number}", f" {number}", f"{number} ",
                 number + (1 << 40), -number):
        yield "another index", f"{first}\nindex {text}\n{rest}"
    for at, hash in enumerate(hashes):
        yield "a flipped bit", with_path(hashes[:at] + [b64(flip(base64.b64decode(hash)))] + hashes[at + 1:])
    yield "other trailing bits", with_path([trailing_bits(hashes[0])] + hashes[1:])
    yield "no padding", with_path([hashes[0].rstrip("=")] + hashes[1:])
    yield "swapped hashes", with_path([hashes[1], hashes[0]] + hashes[2:])
    yield "reversed hashes", with_path(hashes[::-1])
    yield "a hash less", with_path(hashes[1:])
    yield "a last hash less", with_path(hashes[:-1])
    yield "a hash twice", with_path([hashes[0]] + hashes)
    yield "no hash", f"{first}\n{index}\n\n{checkpoint}"
    yield "spaces", with_path([hashes[0] + " "] + hashes[1:])
    yield "carriage returns", with_path([hash + "\r" for hash in hashes])
    yield "an empty line more", with_path([""] + hashes)
    yield "another version", proof.replace("@v1", "@v2", 1)
    yield "a mark of byte order", "\ufeff" + proof
    for name, text in checkpoint_mutants(checkpoint):
        yield name, with_path(hashes)[:-len(checkpoint)] + text


def checkpoint_mutants(checkpoint):
    (origin, size, hash), signatures = head(checkpoint)
    dash, name, blob = signatures.split("\n")[0].split(" ")

    def note(o=origin, s=size, h=hash, sig=signatures):
        return f"{o}\n{s}\n{h}\n\n{sig}"

    for text in (origin + "x", "example.org/other", origin.upper(), origin + " ", ""):
        yield "another origin", note(o=text)
    for text in (int(size) - 1, int(size) + 1, f"0{size}", f"+{size}", f"{size} ", 0, 1 << 60):
        yield "another size", note(s=text)
    for _ in range(3):
        yield "a flipped bit of the root", note(h=b64(flip(base64.b64decode(hash))))
        yield "a flipped bit of the signature", note(sig=f"{dash} {name} {b64(flip(base64.b64decode(blob)))}\n")
    yield "other trailing bits of the root", note(h=trailing_bits(hash))
    raw = base64.b64decode(blob)
    yield "a signature plus the group's order", note(sig=f"{dash} {name} {b64(raw[:4] + malleable(raw[4:]))}\n")
    yield "another name", note(sig=f"{dash} {name}x {blob}\n")
    yield "a hyphen for the dash", note(sig=f"- {name} {blob}\n")
    yield "no signature", note(sig="")
    yield "no end of the last line", note().rstrip("\n")
    yield "a line behind", note() + "\n"
    yield "a line more", f"{origin}\n{size}\n{hash}\nmore\n\n{signatures}"
    yield "carriage returns", note().replace("\n", "\r\n")
    yield "a cut", note()[:-20]


def mutate_proof(reply, other):
    for name, text in proof_mutants(reply["log"]["proof"]):
        try_part(name, reply, ["log", "proof"], text)
    try_part("another's", reply, ["log", "proof"], other["log"]["proof"])


# ---- whole logs

entries = split(load("entries", "rb"))
checkpoint, seen = load("checkpoint"), load("seen")
stolen_log, stolen_receipt = (load_pem_private_key(load(f"stolen/{name}.pem", "rb"), None)
                              for name in ("log", "receipt"))


def try_log(name, entries, checkpoint, verifiers=(by_audit, by_go), **more):
    attempt(name, lambda folder: write_log(folder, entries, checkpoint, **more), *verifiers)


def fixed_up(name, mutant):
    """The tree is made anew over changed entries; the signature is the old one, a stolen one, or
    that of nobody."""
    hash = root([leaf(one) for one in mutant])
    try_log(name, mutant, checkpoint)
    try_log(f"{name}, another root", mutant, restated(checkpoint, len(mutant), hash))
    for key in (stolen_log, Ed25519PrivateKey.generate()):
        try_log(f"{name}, signed by another key", mutant, signed(checkpoint, len(mutant), hash, key))


def changed(at, old, new):
    assert old in entries[at], (entries[at], old)
    return entries[:at] + [entries[at].replace(old, new, 1)] + entries[at + 1:]


def mutate_entries():
    erasure = proved
    for at, old, new in ((erasure, b'"exact":1', b'"exact":2'), (erasure, b"erase", b"not_held"),
                         (erasure, b'"commit":"', b'"commit":"A'), (erasure, b'"iat":1', b'"iat":2'),
                         (0, b"init", b"start"), (erasure, b'"iss":"example', b'"iss":"elsewhere'),
                         (erasure, b",", b", "), (rotated, b"+", b"-")):
        fixed_up(f"entry {at} with {new}", changed(at, old, new))
    some = rng.randrange(2, len(entries) - 2)
    fixed_up("an entry less", entries[:some] + entries[some + 1:])
    fixed_up("an entry twice", entries[:some] + entries[some - 1:])
    fixed_up("swapped entries", entries[:some] + [entries[some + 1], entries[some]] + entries[some + 2:])
    fixed_up("the last entry less", entries[:-1])
    fixed_up("an entry more", entries + entries[-1:])
    fixed_up("entries in reverse", entries[::-1])
    for _ in range(20):
        at = rng.randrange(len(entries))
        try_log("a flipped bit", entries[:at] + [flip(entries[at])] + entries[at + 1:], checkpoint)


def mutate_entries_file():
    data = load("entries", "rb")
    mutants = [data[:-1], data[1:], data + b"\0", data + b"\0\2{}", data + data[-9:], data[:2] + b"\0" + data[2:],
               b"", b"\xff\xff" + data[2:], data + b"\n"]
    mutants += [data[:rng.randrange(len(data))] for _ in range(8)] + [flip(data) for _ in range(12)]
    for mutant in mutants:
        try_log("another file of entries", entries, checkpoint, (by_audit,), files={"entries": mutant})


def mutate_checkpoint():
    for name, text in checkpoint_mutants(checkpoint):
        try_log(name, entries, text)
    try_log("an older checkpoint", entries, seen)
    size = int(head(seen)[0][1])
    try_log("an older log", entries[:size], seen, seen=checkpoint)
    older = load(f"rotation-{rotated}")
    try_log("the log at its rotation", entries[:rotated + 1], older, seen=checkpoint)


def mutate_rotation():
    name, text = f"rotation-{rotated}", load(f"rotation-{rotated}")
    (origin, size, hash), signatures = head(text)
    new, old = signatures.splitlines(keepends=True)
    note = f"{origin}\n{size}\n{hash}\n\n"
    mutants = [None, note + new, note + old, note, checkpoint, seen, text[:-1], note + old.replace(old[-9], "A") + new]
    mutants += [flip(text.encode()) for _ in range(12)]
    mutants += [signed(text, size, base64.b64decode(hash), stolen_log)]
    for mutant in mutants:
        try_log("another rotation", entries, checkpoint, (by_audit,), files={name: mutant})


def mutate_what_urls_give():
    """Each file of its own, for a verifier that reads no others."""
    hashes = [leaf(one) for one in entries]
    name, part = tile(hashes, 0)
    data = b"".join(part)
    for mutant in [flip(data) for _ in range(6)] + [data[:-1], data + b"\0", data[32:] + data[:32], b""]:
        try_log("another tile of hashes", entries, checkpoint, (by_go,), files={f"log/tile/0/{name}": mutant})
    data = join(entries[:256])
    for mutant in [flip(data) for _ in range(6)] + [data[:-1], data + b"\0", join(entries[1:257])]:
        try_log("another tile of entries", entries, checkpoint, (by_go,), files={f"log/tile/entries/{name}": mutant})
    size = int(head(seen)[0][1])
    path, text = f"log/consistency?from={size}&to={len(entries)}", lines(consistency(size, hashes))
    one = text.split("\n")[:-1]
    for mutant in ["", text[45:], text[:-45], text + text[:45], "\n".join(one[::-1]) + "\n", "\n" + text, text[:-1],
                   text.replace("\n", "\r\n"), trailing_bits(one[0]) + text[44:],
                   b64(flip(base64.b64decode(one[0]))) + text[44:]]:
        try_log("another consistency proof", entries, checkpoint, (by_go,), files={path: mutant})
    proof = load(f"log/proof/{proved}")
    for name, text in proof_mutants(proof):
        try_log(f"{name} in a proof", entries, checkpoint, (by_go,), files={f"log/proof/{proved}": text})


def forge_with_stolen_keys():
    """An erasure that never was, signed by both retired keys: of a fork that is consistent in itself."""
    reply = json.loads(json.dumps(replies["before-3"]))
    index = reply["log"]["index"]
    header, payload, _ = reply["receipt"].split(".")
    forged = unurl64(payload)
    commit = forged.index(b'"commit":"') + 10
    forged = forged[:commit] + (b"A" if forged[commit] != ord("A") else b"B") + forged[commit + 1:]
    fork = entries[:index] + [forged] + entries[index + 1:rotated]
    hashes = [leaf(one) for one in fork]
    signed_part = f"{header}.{url64(forged)}"
    reply["receipt"] = f"{signed_part}.{url64(stolen_receipt.sign(signed_part.encode()))}"
    reply["log"]["proof"] = (f"c2sp.org/tlog-proof@v1\nindex {index}\n{lines(inclusion(index, hashes))}\n"
                             + signed(checkpoint, len(fork), root(hashes), stolen_log))
    reply["opening"] = None

    def with_present_key(folder):
        save(f"{folder}/vkey", load("vkeys").splitlines()[-1] + "\n")
        return by_munkeyctl(folder, f"{folder}/vkey")

    def by_daemon_without_opening(folder):
        with open(f"{folder}/reply", encoding="utf-8") as file:
            body = json.load(file)
        body = {"receipt": body["receipt"], "proof": body["log"]["proof"]}
        request = urllib.request.Request(f"{url}/receipts/verify", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["valid"]

    def by_who_trusts_retired_keys(folder):
        assert by_munkeyctl(folder), "the forgery is not as good as stolen keys make it"
        return False

    attempt("a forgery with stolen keys", lambda folder: save(f"{folder}/reply", json.dumps(reply)),
            by_who_trusts_retired_keys, with_present_key, by_daemon_without_opening, by_audit_of_receipt)


def accepts_what_is_genuine():
    folder = f"{work}/genuine"
    os.makedirs(f"{folder}/receipts")
    write_log(folder, entries, checkpoint)
    for reply in list(replies.values()) + list(others.values()):
        save(f"{folder}/reply", json.dumps(reply))
        assert all(verifier(folder) for verifier in of_receipts), "a genuine receipt is refused"
        assert by_audit_of_receipt(folder), "a genuine receipt is refused by the audit"
    assert by_audit(folder) and by_go(folder), "the genuine log is refused"


accepts_what_is_genuine()
for name, reply in replies.items():
    mutate_receipt(reply, others[name])
    mutate_opening(reply, others[name])
    mutate_proof(reply, others[name])
mutate_entries()
mutate_entries_file()
mutate_checkpoint()
mutate_rotation()
mutate_what_urls_give()
forge_with_stolen_keys()
shutil.rmtree(work)
for name in accepted:
    print("accepted:", name)
print(f"{count} mutations, {len(accepted)} accepted (seed {seed})")
sys.exit(len(accepted) > 0 or count < 200)
