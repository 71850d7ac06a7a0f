"""A lack of memory is one error, whatever the class of the exception that a library raises."""

import pytest

from sensorium.errors import ConfigError, OutOfMemoryError
from sensorium.errors.memory import explain_memory_errors

pytestmark = pytest.mark.unit


class Panic(BaseException):
    """As of Rust code."""


class LibraryError(Exception):
    pass


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        LibraryError("std::bad_alloc"),
        Panic("PyObject pointer is null"),
    ],
)
def test_a_lack_of_memory_is_explained(error):
    with pytest.raises(OutOfMemoryError, match="not enough memory") as caught, explain_memory_errors("use fewer rows"):
        raise error
    assert caught.value.cure == "use fewer rows"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), LibraryError("a check"), ConfigError("out of memory", place="x")]
)
def test_other_errors_stay_as_they_are(error):
    with pytest.raises(type(error)) as caught, explain_memory_errors("use fewer rows"):
        raise error
    assert caught.value is error
