"""How a parameter looks as a flag of the command line, where its name and type do not say it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, init=False)
class Flag:
    """Stands in a parameter's annotation: ``Annotated[str, Flag("--format", "-f")]``.

    Parameters
    ----------
    names : str
        Names of the flag; ``--<parameter-with-dashes>`` when none is given.
    commas : bool
        One flag takes several values, parted by commas.
    read : str
        ``module:function`` that makes the value of the flag's text; imported when it is used.
    hidden : bool
        There is no flag: ``county.yaml`` sets the parameter.
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
        """The function of `read`; None where there is none."""
        if not self.read:
            return None
        module, _, name = self.read.partition(":")
        function: Callable[[str], Any] = getattr(import_module(module), name)
        return function
