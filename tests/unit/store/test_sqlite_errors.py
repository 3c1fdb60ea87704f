import apsw
import pytest

from fankeep.errors import StorageError, StorageUnavailable
from fankeep.store.database import ConstraintViolated
from fankeep.store.sqlite_errors import mapped


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        (apsw.BusyError, StorageUnavailable),
        (apsw.FullError, StorageUnavailable),
        (apsw.IOError, StorageUnavailable),
        (apsw.ReadOnlyError, StorageUnavailable),
        (apsw.CorruptError, StorageError),
        (apsw.NotADBError, StorageError),
        (apsw.ConstraintError, ConstraintViolated),
        (apsw.MismatchError, StorageError),
    ],
)
def test_every_failure_of_the_driver_becomes_one_of_ours_without_its_text(foreign, ours):
    with pytest.raises(ours) as caught, mapped:
        raise foreign("a value that nobody should see")
    assert type(caught.value) is ours
    assert "nobody should see" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_other_exceptions_pass_as_they_are():
    with pytest.raises(KeyError), mapped:
        raise KeyError("name")
