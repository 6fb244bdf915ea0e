"""What a user sees when a dashboard cannot show something: a message, never a traceback."""

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
    """The error for users; an unexpected one is logged under a code shown in the box. Commands are
    written as typed in the project's folder.
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
