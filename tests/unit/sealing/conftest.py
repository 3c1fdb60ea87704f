import pytest

from fankeep.sealing import Context, SealingKey, derive_sealing_key
from fankeep.secret import Secret
from fankeep.types import KeyId


@pytest.fixture
def context() -> Context:
    return Context(
        installation="00112233445566778899aabbccddeeff",
        user="5939ae62-3eb5-4433-954f-f78c7b4282f3",
        table="grants",
        record="6f1ed002ab5595859014ebf0951522d9",
        field="refresh",
        generation=3,
    )


@pytest.fixture
def key() -> SealingKey:
    return derive_sealing_key(Secret(b"d" * 32), key_id=KeyId("dk-1"), purpose="grants")
