"""Selects the attributes of each layer and checks that the user may have them."""

from collections.abc import Sequence

from terrafusion_lib.access.grants import VIEW_SENSITIVE
from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.plugins.gis_export.errors import PERSONAL_DATA, ExportError
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.select.field_names import known
from terrafusion_lib.plugins.gis_export.select.layers import Attribute, Layer


def attributes_of(
    layers: Sequence[Layer], params: GisExportParams, context: PluginContext
) -> dict[str, list[Attribute]]:
    """The attributes of each layer, in the layer's order.

    Without names: all that are not personal data. With names: those and the layer's key.

    Raises
    ------
    ExportError
        A name is unknown to all layers, or is personal data that the user may not view.
    """
    every = sorted({item.name for layer in layers for item in layer.attributes})
    known((*params.attributes, *params.rename), every)
    requested = set(params.attributes)
    wanted = {
        layer.name: [
            item
            for item in layer.attributes
            if (
                item.name in requested or item.name in layer.key if requested else not item.personal
            )
        ]
        for layer in layers
    }
    personal = sorted({item.name for items in wanted.values() for item in items if item.personal})
    if personal and VIEW_SENSITIVE not in context.permissions:
        raise ExportError(
            f"Personal data need the permission {VIEW_SENSITIVE}",
            reason_code=PERSONAL_DATA,
            county=context.county_id,
            count=len(personal),
            examples=personal,
            hint="leave them out, or ask the assessor for the permission",
        )
    return wanted
