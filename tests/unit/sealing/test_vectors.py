"""The committed vectors: what was sealed years ago opens, and the format is what its description says."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fankeep.sealing import (
    Context,
    Suite,
    derive_key,
    derive_sealing_key,
    mac,
    open_sealed,
    parse_sealed,
    seal,
)
from fankeep.sealing.associated_data import associated_data
from fankeep.secret import Secret

FOLDER = Path(__file__).parents[2] / "vectors"
FILE = FOLDER / "sealing-v1.json"
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "sealing.md"
VECTORS = json.loads(FILE.read_text())

# The beginning of SHA-256 over each entry, in the order of the file. Only ever add to these lists.
COMMITTED = {
    "sealing": [
        "a6edd3c26e96821e6f83efd5bf8ea1a4",
        "f9937d0180c6afa2991cee6e9c166fff",
        "18bbad8ad08c8596a82d255cfa04a991",
        "199a47ebd966ca8fcd665481ff137667",
        "4f7cd9db9fa32c21ed15c463ea6c2f60",
        "940b865e0ce33fe14b44b2f7144e0d6c",
    ],
    "mac": [
        "976954538da8c552d9c22b8641e21fad",
        "14559a93a34c64282c379b0a2e1defa4",
        "b0d31145ce0cb44923869aaeedbfcf43",
        "b069adb1ceb5867c741e596b6f8df02d",
        "2a0cdbe10e16a36d2b7daad1cb949556",
    ],
    "key": ["4ce622583d5dba17f9590878c089a3c3", "ae809a0570efc8d867f6211455f3cde5"],
}


def by_name(vector):
    return vector["name"]


def unhex(vector, name):
    return bytes.fromhex(vector[name])


def sealing_key(vector):
    return derive_sealing_key(
        Secret(unhex(vector, "data_key")),
        key_id=vector["key_id"],
        purpose=vector["purpose"],
        suite=Suite(vector["suite"]),
    )


@pytest.mark.parametrize("section", COMMITTED)
def test_committed_vectors_are_never_changed_or_removed(section):
    digests = [
        hashlib.sha256(json.dumps(vector, sort_keys=True).encode()).hexdigest()[:32]
        for vector in VECTORS[section]
    ]
    assert digests == COMMITTED[section]


def test_the_committed_file_is_what_the_generating_program_prints():
    program = subprocess.run(
        [sys.executable, FOLDER / "make_sealing_v1.py"], capture_output=True, check=True, text=True
    )
    assert program.stdout == FILE.read_text()


def test_every_suite_has_a_vector():
    assert {vector["suite"] for vector in VECTORS["sealing"]} == {suite.value for suite in Suite}


@pytest.mark.parametrize("vector", VECTORS["sealing"], ids=by_name)
def test_sealing_gives_the_bytes_of_the_vector(vector):
    sealed = seal(
        sealing_key(vector),
        Context(**vector["context"]),
        unhex(vector, "plaintext"),
        nonce=unhex(vector, "nonce"),
    )
    assert sealed.data == unhex(vector, "sealed")


@pytest.mark.parametrize("vector", VECTORS["sealing"], ids=by_name)
def test_the_vectors_bytes_open(vector):
    sealed = parse_sealed(unhex(vector, "sealed"))
    assert open_sealed(sealing_key(vector), Context(**vector["context"]), sealed) == unhex(
        vector, "plaintext"
    )


@pytest.mark.parametrize("vector", VECTORS["sealing"], ids=by_name)
def test_commitment_and_associated_data_are_those_of_the_vector(vector):
    key = sealing_key(vector)
    assert key.commitment == unhex(vector, "commitment")
    bound_to = associated_data(key.associated_head, Context(**vector["context"]))
    assert bound_to == unhex(vector, "associated_data")


@pytest.mark.parametrize("vector", VECTORS["mac"], ids=by_name)
def test_macs_are_those_of_the_vectors(vector):
    parts = [bytes.fromhex(value) if kind == "bytes" else value for kind, value in vector["parts"]]
    assert mac(Secret(unhex(vector, "key")), *parts) == unhex(vector, "mac")


@pytest.mark.parametrize("vector", VECTORS["key"], ids=by_name)
def test_derived_keys_are_those_of_the_vectors(vector):
    derived = derive_key(Secret(unhex(vector, "root")), purpose=vector["purpose"])
    assert derived == Secret(unhex(vector, "key"))


def test_the_documented_example_is_the_first_vector():
    vector = VECTORS["sealing"][0]
    example = PAGE.read_text().partition("## An example")[2]
    written = "".join(example.partition("sealed")[2].replace("|", "").split())
    assert written == vector["sealed"]
    for part in ("data_key", "purpose", "subkey", "key_id"):
        assert vector[part] in example
    for part in ("installation", "user", "record", "field"):
        assert vector["context"][part] in example
    assert unhex(vector, "plaintext").decode() in example
