"""What is refused, judged by the fields of the error and not by its sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from terrafusion_lib.core.errors import TerraFusionError

Family = TypeVar("Family", bound=TerraFusionError)


@contextmanager
def refused(family: type[Family], **fields: object) -> Iterator[pytest.ExceptionInfo[Family]]:
    """Pass where the block raises `family` itself with these fields.

    ``next`` is text that the hint holds, such as the nearest name or the command to type; other
    fields are compared whole.
    """
    following = fields.pop("next", "")
    with pytest.raises(family) as caught:
        yield caught
    assert type(caught.value) is family
    assert {name: getattr(caught.value, name) for name in fields} == fields
    assert str(following) in str(caught.value.hint)
