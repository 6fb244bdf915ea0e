"""What a person sees of an error: a sentence, or a code that leads to the log."""

import logging
import re

import pytest

from terrafusion_lib.core.commands import program
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.settings import get_settings
from terrafusion_lib.ui.errors import error_box, guard


def test_our_own_error_is_shown_in_its_words() -> None:
    shown = error_box(
        RunError("No <run> to show", county="demo_wa", hint="terrafusion run <county>")
    )
    own = program("terrafusion", folder=get_settings().root)
    assert f"No &lt;run&gt; to show (county demo_wa). Next: {own} run demo_wa." in shown


def test_an_unforeseen_error_is_a_code_whose_traceback_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="terrafusion.ui"):
        shown = error_box(KeyError("password=hunter2"))
    code = re.search(r"code ([0-9a-f]{8})", shown)
    assert code
    assert "hunter2" not in shown
    assert "KeyError" not in shown
    (record,) = caplog.records
    assert code[1] in record.getMessage()
    assert record.exc_info


def test_a_guarded_cell_shows_the_error_instead_of_raising(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    with guard():
        raise RunError("nothing here")
    assert "nothing here" in shown[0]


def test_a_guarded_cell_can_be_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt), guard():
        raise KeyboardInterrupt
