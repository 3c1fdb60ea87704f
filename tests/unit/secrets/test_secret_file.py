import pytest

from fankeep.errors import ConfigurationError
from fankeep.secret import Secret
from fankeep.secrets import read_secret_file

SECRET = "0f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"


@pytest.fixture
def write(tmp_path):
    def write(content, mode=0o600):
        path = tmp_path / "secret"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    return write


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_one_line_end_is_not_part_of_the_secret(write, end):
    assert read_secret_file(write(SECRET + end)) == Secret(SECRET)


def test_line_ends_within_the_text_stay(write):
    assert read_secret_file(write("a=1\nb=2\n")) == Secret("a=1\nb=2")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\r\n", "empty"),
        (b"\xef\xbb\xbf" + SECRET.encode(), "byte order mark"),
        (SECRET.encode("utf-16"), "UTF-8"),
        (b"\xff\xfe\x00", "UTF-8"),
        (SECRET.encode() + b"\n\n", "blanks"),
        (b" " + SECRET.encode(), "blanks"),
        (SECRET.encode() + b"\t\n", "blanks"),
        (SECRET.encode() + b"\xc2\xa0", "blanks"),
        (SECRET.encode() + b"\x00", "zero byte"),
        (SECRET.encode() * 4096, "longer"),
    ],
)
def test_a_file_that_would_give_a_wrong_secret_is_refused_and_not_shown(write, content, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as refusal:
        read_secret_file(write(content))
    assert SECRET[:8] not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602])
def test_a_file_that_others_read_or_the_group_writes_is_refused(write, mode):
    with pytest.raises(ConfigurationError, match="0640"):
        read_secret_file(write(SECRET, mode))


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o640])
def test_a_file_mounted_for_the_group_is_read(write, mode):
    assert read_secret_file(write(SECRET, mode)) == Secret(SECRET)


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError):
        read_secret_file(tmp_path / "folder")


def test_a_secret_given_in_place_of_a_path_is_not_shown(tmp_path):
    with pytest.raises(ConfigurationError) as refusal:
        read_secret_file(tmp_path / SECRET)
    assert SECRET not in str(refusal.value)
