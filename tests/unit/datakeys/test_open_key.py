import os

from fankeep.datakeys.open_key import OpenKey
from fankeep.sealing import Suite, derive_sealing_key
from fankeep.secret import Secret

SECRET = Secret(os.urandom(32))


def test_a_sealing_key_is_derived_once_for_each_purpose_and_suite():
    key = OpenKey("dk-1", "owner", SECRET, b"wrapped")
    assert key.sealing_key("grants") is key.sealing_key("grants")
    assert key.sealing_key("grants") is not key.sealing_key("events")
    assert key.sealing_key("grants", Suite.AES_256_GCM).suite is Suite.AES_256_GCM


def test_the_sealing_key_is_that_of_the_data_key_and_its_id():
    derived = OpenKey("dk-1", "owner", SECRET, b"wrapped").sealing_key("grants")
    assert derived.key_id == "dk-1"
    assert derived.commitment == derive_sealing_key(SECRET, key_id="dk-1", purpose="grants").commitment
