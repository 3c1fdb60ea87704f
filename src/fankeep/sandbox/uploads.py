"""Where the parts of an upload go: signed addresses on the sandbox itself, as an object store would have."""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

from fankeep.sandbox.journal import Entry
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.world import Upload

__all__ = ["UPLOAD_PATH", "UploadEndpoint", "part_url"]

UPLOAD_PATH = "/uploads/{upload_id}/{number:int}"
_GOOD_FOR_SECONDS = 3600
_LARGEST_PART = 1 << 28


def part_url(base_url: str, upload: Upload, number: int, *, now: float) -> str:
    """The address for one part; whoever has it may upload until it expires."""
    expires = int(now) + _GOOD_FOR_SECONDS
    signature = _signature(upload, number, str(expires))
    return f"{base_url}/uploads/{upload.id}/{number}?X-Expires={expires}&X-Signature={signature}"


class UploadEndpoint:
    """Takes the bytes of a part and keeps nothing but their ETag."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def put(self, request: Request, entry: Entry) -> Response:
        """Take one part; an ``Authorization`` header is refused, as object stores do."""
        upload = self._upload(request.path_params["upload_id"])
        number: int = request.path_params["number"]
        if "authorization" in request.headers:
            return _refuse(400, "InvalidArgument", entry)
        if upload is None or not self._is_signed(request, upload, number):
            return _refuse(403, "AccessDenied", entry)
        digest, size = hashlib.md5(usedforsecurity=False), 0
        async for chunk in request.stream():
            digest.update(chunk)
            size += len(chunk)
            if size > _LARGEST_PART:
                return _refuse(400, "EntityTooLarge", entry)
        upload.etags[number] = digest.hexdigest()
        entry.note(part=number, size=size)
        return Response(headers={"etag": f'"{digest.hexdigest()}"'})

    def _upload(self, upload_id: str) -> Upload | None:
        for creator in self._sandbox.world.creators.values():
            media = creator.content.upload(upload_id)
            if media is not None and media.completed_at is None:
                return media.upload
        return None

    def _is_signed(self, request: Request, upload: Upload, number: int) -> bool:
        expires = request.query_params.get("X-Expires", "")
        signature = request.query_params.get("X-Signature", "")
        good = hmac.compare_digest(_signature(upload, number, expires).encode(), signature.encode())
        return good and self._sandbox.now() < int(expires)


def _signature(upload: Upload, number: int, expires: str) -> str:
    text = f"{upload.id}/{number}/{expires}"
    return hmac.new(upload.key.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()


def _refuse(status: int, code: str, entry: Entry) -> Response:
    entry.outcome = code
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'
    return Response(text, status, media_type="application/xml")
