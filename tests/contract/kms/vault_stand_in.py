"""The part of Vault's transit engine that fankeep uses, over HTTP, written from its API documentation.

Vault itself is not a package that tests could install. What stands here: the two paths, their fields and
their errors; a key that is not there, a token that is not allowed, associated data, versions of a key.
"""

import base64
import binascii
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "hvs.a-token-of-the-stand-in"
_PATH = re.compile(r"/v1/(?P<mount>[\w/]+)/(?P<verb>encrypt|decrypt)/(?P<name>[\w-]+)")


class VaultStandIn:
    """A server on a loopback port. ``keys`` are versions of named keys, the newest last."""

    def __init__(self, mount="transit"):
        self.mount = mount
        self.keys = {}
        self.seen = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self):
                self.answer()

            def do_POST(self):
                self.answer()

            def answer(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                status, content = stand_in.handle(self.path, dict(self.headers), body)
                encoded = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                self.wfile.write(encoded)

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def add_version(self, name):
        self.keys.setdefault(name, []).append(os.urandom(32))

    def handle(self, path, headers, body):
        self.seen.append((path, body))
        match = _PATH.fullmatch(path)
        if headers.get("X-Vault-Token") != TOKEN:
            return 403, {"errors": ["permission denied"]}
        if match is None or match["mount"] != self.mount:
            return 404, {"errors": [f"no handler for route {path[4:]!r}"]}
        versions = self.keys.get(match["name"])
        if versions is None:
            return 400, {"errors": ["encryption key not found"]}
        try:
            associated = base64.b64decode(body.get("associated_data", ""), validate=True)
            return 200, {"data": getattr(self, match["verb"])(versions, body, associated)}
        except InvalidTag:
            return 400, {"errors": ["cipher: message authentication failed"]}
        except (ValueError, IndexError, binascii.Error):
            return 400, {"errors": ["invalid ciphertext: no prefix"]}

    def encrypt(self, versions, body, associated):
        nonce = os.urandom(12)
        sealed = AESGCM(versions[-1]).encrypt(nonce, base64.b64decode(body["plaintext"]), associated)
        encoded = base64.b64encode(nonce + sealed).decode()
        return {"ciphertext": f"vault:v{len(versions)}:{encoded}", "key_version": len(versions)}

    def decrypt(self, versions, body, associated):
        prefix, version, encoded = body["ciphertext"].split(":")
        if prefix != "vault" or not version.startswith("v"):
            raise ValueError
        sealed = base64.b64decode(encoded, validate=True)
        if len(sealed) < 12 + 16:
            raise ValueError
        opened = AESGCM(versions[int(version[1:]) - 1]).decrypt(sealed[:12], sealed[12:], associated)
        return {"plaintext": base64.b64encode(opened).decode()}
