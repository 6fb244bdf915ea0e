"""Options of a parameter's command-line flag, where name and type are not enough."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, init=False)
class Flag:
    """Used in a parameter's annotation: ``Annotated[str, Flag("--format", "-f")]``.

    Parameters
    ----------
    names : str
        Names of the flag; ``--<parameter-with-dashes>`` when none is given.
    commas : bool
        One flag takes several values, separated by commas.
    read : str
        ``module:function`` that converts the flag's text to its value; imported on use.
    hidden : bool
        No flag; the parameter is set in ``county.yaml``.
    """

    names: tuple[str, ...]
    commas: bool
    read: str
    hidden: bool

    def __init__(
        self, *names: str, commas: bool = False, read: str = "", hidden: bool = False
    ) -> None:
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "commas", commas)
        object.__setattr__(self, "read", read)
        object.__setattr__(self, "hidden", hidden)

    def reader(self) -> Callable[[str], Any] | None:
        """The function named by `read`; None without one."""
        if not self.read:
            return None
        module, _, name = self.read.partition(":")
        function: Callable[[str], Any] = getattr(import_module(module), name)
        return function
