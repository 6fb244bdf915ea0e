"""Names that an item of a mapping may use, so far down the file, and its look-ups bound to them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.mappers.bound import BoundJoin, From, Rows
from terrafusion_lib.mappers.expressions import Scope, row_expression
from terrafusion_lib.mappers.model import Join


@dataclass
class Names:
    """Rows that are defined so far, names of all that the file defines, and its value maps."""

    everything: frozenset[str]
    value_maps: frozenset[str]
    defined: dict[str, Rows] = field(default_factory=dict)

    def define(self, rows: Rows) -> None:
        """Let the items further down read these rows."""
        self.defined[rows.name] = rows

    def rows(self, name: str) -> Rows:
        """The rows of this name.

        Raises
        ------
        MappingError
            They are defined further down, or nowhere.
        """
        if name in self.defined:
            return self.defined[name]
        if name in self.everything:
            raise MappingError(f"{name} is defined further down", hint=f"move {name} up")
        raise unknown("source or relation", name, self.defined)


@contextmanager
def inside(where: str) -> Iterator[None]:
    """Open an error's message with its place."""
    try:
        yield
    except MappingError as error:
        error.what = f"{where}: {error.what}"
        error.args = (error.what,)
        raise


def unknown(what: str, name: str, known: Iterable[str], *, where: str = "") -> MappingError:
    """The error of a name that there is not, with the nearest that there is."""
    known = list(known)
    meant = did_you_mean(name, known)
    return MappingError(
        f"{where}: there is no {what} {name}" if where else f"there is no {what} {name}",
        examples=() if meant else sorted(known),
        hint=meant,
    )


def require_known(
    what: str, names: Iterable[str], known: Iterable[str], *, where: str = ""
) -> None:
    """Refuse the first name that is not among the known.

    Raises
    ------
    MappingError
        There is one.
    """
    known = list(known)
    for name in names:
        if name not in known:
            raise unknown(what, name, known, where=where)


def bind_from(names: Names, base: str, joins: dict[str, Join]) -> tuple[From, Scope]:
    """An item's base and joins, and what its expressions may read.

    Raises
    ------
    MappingError
        A name that there is not, or an expression that is not allowed.
    """
    rows = names.rows(base)
    targets = {alias: names.rows(join.to or alias) for alias, join in joins.items()}
    if rows.alias in joins:
        raise MappingError(f"the join {rows.alias} has the name of the table itself")
    scope = Scope(rows.alias, {rows.alias: rows.columns}, names.value_maps)
    bound = []
    for alias, target in targets.items():
        bound.append(_bind_join(alias, target, joins[alias], scope))
        scope = scope.joined(alias, target.columns)
    return From(rows, tuple(bound)), scope


def _bind_join(alias: str, target: Rows, join: Join, scope: Scope) -> BoundJoin:
    require_known("column", join.match, target.columns, where=f"join {alias}: {target.name}")
    expressions = {column: row_expression(text, scope) for column, text in join.match.items()}
    return BoundJoin(alias, target, expressions, many=join.many)
