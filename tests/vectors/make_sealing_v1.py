"""Prints the test vectors of the sealing format, written from its description and not from the package.

    python tests/vectors/make_sealing_v1.py > tests/vectors/sealing-v1.json

It shares no code with what it checks: the bytes are put together here a second time, from
``docs/reference/sealing.md`` and the primitives of ``cryptography``. Inputs are fixed, so that every run
prints the same. Entries are only ever added, at the end: values that were sealed years ago have to open.
"""

import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

CIPHERS = {1: AESGCMSIV, 2: AESGCM}
FORMAT = 1

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
INSTALLATION = "00112233445566778899aabbccddeeff"


def fixed_bytes(label, length):
    return hashlib.shake_256(b"fankeep sealing v1: " + label.encode()).digest(length)


def hkdf_expand(key, info, length):
    """RFC 5869 section 2.3."""
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        output += block
        counter += 1
    return output[:length]


def with_length(part):
    return len(part).to_bytes(4, "big") + part


def sealing_vector(name, *, suite, key_id, context, plaintext):
    data_key = fixed_bytes(f"{name}: data key", 32)
    nonce = fixed_bytes(f"{name}: nonce", 12)
    okm = hkdf_expand(data_key, b"fankeep/v1/" + context["table"].encode(), 64)
    subkey, commitment = okm[:32], okm[32:]
    parts = [bytes([FORMAT]), bytes([suite]), key_id.encode()]
    parts += [context[part].encode() for part in ("installation", "user", "table", "record", "field")]
    parts += [context["generation"].to_bytes(8, "big")]
    associated_data = b"".join(map(with_length, parts))
    ciphertext = CIPHERS[suite](subkey).encrypt(nonce, plaintext, associated_data)
    sealed = bytes([FORMAT, suite, len(key_id)]) + key_id.encode() + commitment + nonce + ciphertext
    return {
        "name": name,
        "suite": suite,
        "data_key": data_key.hex(),
        "key_id": key_id,
        "purpose": context["table"],
        "context": context,
        "nonce": nonce.hex(),
        "plaintext": plaintext.hex(),
        "subkey": subkey.hex(),
        "commitment": commitment.hex(),
        "associated_data": associated_data.hex(),
        "sealed": sealed.hex(),
    }


def mac_vector(name, parts):
    key = fixed_bytes(f"{name}: key", 32)
    message = b"\x01"
    for kind, value in parts:
        body = {
            "none": lambda _: b"",
            "str": lambda text: text.encode(),
            "bytes": bytes.fromhex,
            "int": lambda number: number.to_bytes(8, "big", signed=True),
        }[kind](value)
        message += kind[0].encode() + with_length(body)
    return {
        "name": name,
        "key": key.hex(),
        "parts": parts,
        "message": message.hex(),
        "mac": hmac.digest(key, message, "sha256").hex(),
    }


def key_vector(name, purpose):
    root = fixed_bytes(f"{name}: root", 32)
    derived = hkdf_expand(root, b"fankeep/v1/key/" + purpose.encode(), 32)
    return {"name": name, "root": root.hex(), "purpose": purpose, "key": derived.hex()}


def place(table, record, field, *, user=CREATOR, generation=0):
    return {
        "installation": INSTALLATION,
        "user": user,
        "table": table,
        "record": record,
        "field": field,
        "generation": generation,
    }


SEALING = [
    sealing_vector(
        "refresh token",
        suite=1,
        key_id="dk-0123456789abcdef0123456789abcdef",
        context=place("grants", "6f1ed002ab5595859014ebf0951522d9", "refresh", generation=7),
        plaintext=b"ory_rt_an-example-of-a-refresh-token",
    ),
    sealing_vector(
        "refresh token, second suite",
        suite=2,
        key_id="dk-0123456789abcdef0123456789abcdef",
        context=place("grants", "6f1ed002ab5595859014ebf0951522d9", "refresh", generation=7),
        plaintext=b"ory_rt_an-example-of-a-refresh-token",
    ),
    sealing_vector(
        "nothing inside",
        suite=1,
        key_id="k",
        context=place("events", "1", "payload"),
        plaintext=b"",
    ),
    sealing_vector(
        "text beyond ASCII, largest generation, longest key id",
        suite=1,
        key_id="k" * 64,
        context=place("events", "Zoë", "payload", generation=2**64 - 1),
        plaintext='{"name":"Zoë"}'.encode(),
    ),
    sealing_vector(
        "a value of the installation",
        suite=1,
        key_id="dk-fedcba9876543210fedcba9876543210",
        context=place("login-cookies", "9f86d081884c7d65", "login", user=""),
        plaintext=bytes(range(256)) * 2,
    ),
    sealing_vector(
        "a value of the installation, second suite",
        suite=2,
        key_id="dk-fedcba9876543210fedcba9876543210",
        context=place("login-cookies", "9f86d081884c7d65", "login", user=""),
        plaintext=bytes(range(256)) * 2,
    ),
]

MACS = [
    mac_vector("no parts", []),
    mac_vector("one of each kind", [["str", "live"], ["bytes", "00ff"], ["int", 7], ["none", None]]),
    mac_vector("numbers", [["int", 0], ["int", -1], ["int", 2**63 - 1], ["int", -(2**63)]]),
    mac_vector("empty text, empty bytes, none", [["str", ""], ["bytes", ""], ["none", None]]),
    mac_vector("text beyond ASCII", [["str", "Zoë"]]),
]

KEYS = [key_vector("session rows", "sessions"), key_vector("a purpose with all signs", "a-b_c-9")]


if __name__ == "__main__":
    json.dump(
        {"format": FORMAT, "sealing": SEALING, "mac": MACS, "key": KEYS},
        sys.stdout,
        indent=1,
        ensure_ascii=True,
    )
    sys.stdout.write("\n")
