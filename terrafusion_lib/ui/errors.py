"""What a person sees when a dashboard cannot show something: a sentence, never a traceback."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from terrafusion_lib.core.commands import as_typed
from terrafusion_lib.core.errors import TerraFusionError
from terrafusion_lib.core.settings import get_settings
from terrafusion_lib.ui.html import Html, styled, text

logger = logging.getLogger("terrafusion.ui")


def error_box(error: BaseException) -> Html:
    """The error for people; an unforeseen one is logged under a code that the box shows.

    Its commands are written as they are typed in the project's folder.
    """
    if isinstance(error, TerraFusionError):
        shown = as_typed(str(error), county=error.county, folder=get_settings().root)
        return styled(f'<div class="error">{text(shown)}</div>')
    code = uuid.uuid4().hex[:8]
    logger.error("dashboard error %s", code, exc_info=error)
    return styled(
        f'<div class="error">This part cannot be shown. Tell the administrator code {code}.</div>'
    )


@contextmanager
def guard() -> Iterator[None]:
    """Show an error of the block as a box below the cell instead of raising it."""
    from IPython.display import display

    try:
        yield
    except Exception as error:  # noqa: BLE001 - the boundary between the code and the person
        display(error_box(error))  # type: ignore[no-untyped-call]
