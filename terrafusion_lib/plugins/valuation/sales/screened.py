"""Every sale of the county beside what models that had not seen it say of its price."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import PreparedSales
from terrafusion_lib.plugins.valuation.sales.screening import Screening, screen
from terrafusion_lib.plugins.valuation.subjects import Sales, TextArray, texts
from terrafusion_lib.stats import reproducible


def screened(
    table: pa.Table, prepared: PreparedSales, markets: Mapping[str, Market], params: ValuationParams
) -> Screening:
    """The verdict on each row of the sales table.

    Sales that made the models are compared with their out-of-fold values, all others with the
    models, which never use a sale of the same parcel.
    """
    ratio = np.full(table.num_rows, np.nan)
    kind: TextArray = np.full(table.num_rows, None, dtype=object)
    ids, parcels = (texts(table, name).tolist() for name in ("sale_id", "property_id"))
    row_of = {key: row for row, key in enumerate(zip(ids, parcels, strict=True))}

    def note(sales: Sales, market: str, log_value: np.ndarray) -> None:
        rows = np.array([row_of[key] for key in sales.identities()], dtype=np.int64)
        ratio[rows] = reproducible.exp(reproducible.log(sales.price) - log_value)
        kind[rows] = market

    for name, market in markets.items():
        note(market.sales, name, market.out_of_fold.log_value)
        for sales in (prepared.later, prepared.doubted):
            own = sales.of_market(name)
            own = own.take(market.model.can_value(own.unit))
            if len(own):
                note(own, name, reproducible.log(market.predict(own.unit).value))
    return screen(table, prepared.evidence, ratio, kind, params)
