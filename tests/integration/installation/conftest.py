"""An installation with connected creators, on a local Fanvue with a clock of its own."""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fankeep import Keep, Secret, Settings
from fankeep.testing import FanvueSandbox
from fankeep.testing.running import default_settings
from fankeep.types import UserId
from fankeep.vault import TokenPair


@dataclass
class Installation:
    """Where everything lies, and the Fanvue that it belongs to."""

    folder: Path
    fanvue: FanvueSandbox

    def settings(self, **changes) -> Settings:
        values = {
            "env": "development",
            "public_url": "http://localhost:8000",
            "client_id": self.fanvue.client_id,
            "client_secret": self.fanvue.client_secret,
            "webhook_secrets": f"main={self.fanvue.webhook_secret}",
            "issuer_url": self.fanvue.issuer_url,
            "api_url": self.fanvue.api_url,
            "operations": "getCurrentUser listChats",
            "database_url": f"sqlite:///{self.folder}/data.db",
            "keys_database_url": f"sqlite:///{self.folder}/keys.db",
            "keys": f"file:{self.folder}/kek.json",
        }
        return Settings(**{**values, **changes})

    def keep(self) -> Keep:
        return Keep(self.settings(), events=False)

    @property
    def environment(self) -> dict[str, str]:
        """The settings as a process gets them."""
        settings = self.settings()
        return {
            "FANKEEP_ENV": "development",
            "FANKEEP_PUBLIC_URL": settings.public_url,
            "FANKEEP_CLIENT_ID": settings.client_id,
            "FANKEEP_CLIENT_SECRET": self.fanvue.client_secret,
            "FANKEEP_WEBHOOK_SECRETS": f"main={self.fanvue.webhook_secret}",
            "FANKEEP_ISSUER_URL": settings.issuer_url,
            "FANKEEP_API_URL": settings.api_url,
            "FANKEEP_OPERATIONS": "getCurrentUser listChats",
            "FANKEEP_DATABASE_URL": f"sqlite:///{self.folder}/data.db",
            "FANKEEP_KEYS_DATABASE_URL": f"sqlite:///{self.folder}/keys.db",
            "FANKEEP_KEYS": f"file:{self.folder}/kek.json",
        }

    def python(self, program: str, *arguments: str) -> list[str]:
        """Run a program in a process of its own; return the lines that it prints."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, *arguments],
            env=clean | self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def connect(self, creator: str | None = None, *, lifetime: float | None = None) -> str:
        """Store what a completed sign-in of a creator brings."""
        tokens = self.fanvue.control.connect(creator)
        pair = TokenPair(
            access=Secret(tokens.access_token),
            refresh=Secret(tokens.refresh_token),
            access_left=tokens.expires_in if lifetime is None else lifetime,
            lifetime=tokens.expires_in,
            scopes=tuple(sorted(tokens.scope.split())),
        )

        async def store() -> None:
            async with self.keep() as keep:
                await keep._open.vault.store_login(UserId(tokens.creator), pair)

        asyncio.run(store())
        return tokens.creator


@pytest.fixture
def fanvue_sandbox_settings():
    return replace(default_settings(), access_token_lifetime=3600.0, grace=300.0)


@pytest.fixture
def installation(fanvue_sandbox, tmp_path) -> Installation:
    folder = tmp_path / "fankeep"
    folder.mkdir(mode=0o700)
    return Installation(folder, fanvue_sandbox)
