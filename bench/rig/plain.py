"""A receiver as most apps write one: FastAPI, SQLAlchemy, one commit for every delivery.

It checks the signature, inserts the event with a unique id, and commits. SQLite has its defaults and the
synchronous session: the asynchronous one over aiosqlite was half as fast here. PostgreSQL has the
asynchronous one over asyncpg. ``uvicorn`` runs it, with uvloop and without an access log:
``python -m bench.rig.plain PORT``, the database's address and the secret in ``PLAIN_DATABASE`` and
``PLAIN_SECRET``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

_TOLERANCE = 300
_secret = os.environ["PLAIN_SECRET"].encode()
_database = make_url(os.environ["PLAIN_DATABASE"])


class Base(DeclarativeBase):
    """The models of this app."""


class WebhookEvent(Base):
    """One event, once."""

    __tablename__ = "webhook_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    payload: Mapped[str]
    received_at: Mapped[float]


class Store(Protocol):
    """Where events go."""

    async def create(self) -> None: ...
    async def commit(self, row: WebhookEvent) -> None: ...


class SqliteStore:
    """A session a request, on the event loop's thread."""

    def __init__(self) -> None:
        self._engine = create_engine(_database)
        self._sessions = sessionmaker(self._engine)

    async def create(self) -> None:
        """Make the table."""
        Base.metadata.create_all(self._engine)

    async def commit(self, row: WebhookEvent) -> None:
        """Insert one row."""
        with self._sessions() as session:
            session.add(row)
            session.commit()


class PostgresqlStore:
    """A session a request, from a pool of connections."""

    def __init__(self) -> None:
        self._engine = create_async_engine(_database.set(drivername="postgresql+asyncpg"))
        self._sessions = async_sessionmaker(self._engine)

    async def create(self) -> None:
        """Make the table."""
        async with self._engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def commit(self, row: WebhookEvent) -> None:
        """Insert one row."""
        async with self._sessions() as session:
            session.add(row)
            await session.commit()


_store: Store = SqliteStore() if _database.drivername == "sqlite" else PostgresqlStore()


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    await _store.create()
    yield


app = FastAPI(lifespan=_lifespan)


@app.post("/webhooks/fanvue")
async def receive(request: Request) -> dict[str, str]:
    """Accept one delivery."""
    body = await request.body()
    if not _genuine(body, request.headers.get("x-fanvue-signature", "")):
        raise HTTPException(401, "invalid signature")
    event = json.loads(body)
    row = WebhookEvent(
        event_id=event["id"], type=event["type"], payload=json.dumps(event["data"]), received_at=time.time()
    )
    try:
        await _store.commit(row)
    except IntegrityError:
        return {"status": "duplicate"}
    return {"status": "stored"}


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """Whether it serves."""
    return {"status": "ready"}


def _genuine(body: bytes, header: str) -> bool:
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    signed = f"{parts.get('t', '')}.".encode() + body
    expected = hmac.new(_secret, signed, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(parts.get("t", "0"))) <= _TOLERANCE
    return fresh and hmac.compare_digest(expected, parts.get("v0", ""))


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
