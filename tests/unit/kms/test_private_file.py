import os
import socket
from pathlib import Path

import pytest

from fankeep.errors import ConfigurationError
from fankeep.kms.private_file import PRIVATE_TO_GROUP, read_private_file


def write(path, content=b"content", mode=0o600):
    path.write_bytes(content)
    path.chmod(mode)
    return path


def read(path, **options):
    return read_private_file(path, what="secret file", **options)


def test_a_private_file_is_read_whole(tmp_path):
    assert read(write(tmp_path / "file", b"a\n\xff")) == b"a\n\xff"


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o601, 0o666])
def test_a_file_with_any_permission_of_others_is_refused(tmp_path, mode):
    with pytest.raises(ConfigurationError, match="0600"):
        read(write(tmp_path / "file", mode=mode))


def test_the_group_may_read_where_that_is_allowed(tmp_path):
    assert read(write(tmp_path / "file", mode=0o440), refuse=PRIVATE_TO_GROUP) == b"content"


@pytest.mark.parametrize("mode", [0o660, 0o644, 0o444])
def test_the_group_never_writes_and_others_never_read(tmp_path, mode):
    with pytest.raises(ConfigurationError, match="0640"):
        read(write(tmp_path / "file", mode=mode), refuse=PRIVATE_TO_GROUP)


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="empty"):
        read(write(tmp_path / "file", b""))


def test_a_file_over_the_bound_is_refused(tmp_path):
    assert read(write(tmp_path / "file", bytes(1 << 16)))
    with pytest.raises(ConfigurationError, match="longer"):
        read(write(tmp_path / "file", bytes((1 << 16) + 1)))


def test_a_missing_file_is_refused_without_repeating_the_path(tmp_path):
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path / "whsec_pasted-by-mistake")
    assert "No such file" in str(refusal.value)
    assert "whsec" not in str(refusal.value)


def test_a_path_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="not a path"):
        read(tmp_path / "a\0b")


def test_what_is_not_a_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="regular"):
        read(tmp_path / "pipe")
    with pytest.raises(ConfigurationError):
        read(tmp_path / "folder")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(ConfigurationError):
            read(tmp_path / "socket")


def test_a_link_to_a_private_file_is_followed(tmp_path):
    (tmp_path / "mounted").symlink_to(write(tmp_path / "file"))
    (tmp_path / "second").symlink_to("mounted")
    assert read(tmp_path / "second") == b"content"


def test_a_file_in_a_folder_that_everybody_writes_to_is_refused(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    write(shared / "file")
    for mode in (0o777, 0o1777):
        shared.chmod(mode)
        with pytest.raises(ConfigurationError, match="everybody"):
            read(shared / "file")


def test_a_folder_further_up_that_everybody_writes_to_is_refused_unless_it_is_sticky(tmp_path):
    shared = tmp_path / "shared"
    (shared / "mine").mkdir(parents=True)
    write(shared / "mine" / "file")
    shared.chmod(0o1777)
    assert read(shared / "mine" / "file") == b"content"
    shared.chmod(0o777)
    with pytest.raises(ConfigurationError, match="everybody"):
        read(shared / "mine" / "file")


@pytest.mark.parametrize("exposed", ["first", "between", "target"])
def test_every_step_of_a_chain_of_links_is_checked(tmp_path, exposed):
    for name in ("first", "between", "target"):
        (tmp_path / name).mkdir()
    write(tmp_path / "target" / "file")
    (tmp_path / "between" / "link").symlink_to("../target/file")
    (tmp_path / "first" / "link").symlink_to(tmp_path / "between" / "link")
    assert read(tmp_path / "first" / "link") == b"content"
    (tmp_path / exposed).chmod(0o777)
    with pytest.raises(ConfigurationError, match="everybody"):
        read(tmp_path / "first" / "link")


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(ConfigurationError):
        read(tmp_path / "one")


def test_a_file_of_another_user_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "file")
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigurationError, match="another user"):
        read(path)


def test_no_descriptor_stays_open_after_a_refusal(tmp_path):
    path = write(tmp_path / "file", mode=0o644)
    for _ in range(3):
        with pytest.raises(ConfigurationError):
            read(path)
    assert path.resolve() not in [link.resolve() for link in Path("/proc/self/fd").iterdir()]
