import pytest

from pipeline.interruption import interrupt, interruptible


def be_interrupted_in_a_library():
    """As while C++ tries which function fits: no error of whatever kind is let through."""
    try:
        interrupt()
    except BaseException:
        raise TypeError("incompatible arguments") from None


def test_an_interruption_that_came_out_as_another_error_is_one_all_the_same():
    with pytest.raises(KeyboardInterrupt), interruptible():
        be_interrupted_in_a_library()


def test_an_error_after_an_interruption_of_another_block_is_that_error():
    with pytest.raises(KeyboardInterrupt), interruptible():
        interrupt()
    with pytest.raises(ZeroDivisionError), interruptible():
        1 / 0  # noqa: B018
