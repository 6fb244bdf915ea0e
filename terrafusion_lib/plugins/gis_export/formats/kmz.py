"""KMZ: KML, compressed; one file, a document per layer."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from terrafusion_lib.plugins.gis_export.format import ExportFormat, Styles
from terrafusion_lib.plugins.gis_export.formats.kml import write_document
from terrafusion_lib.plugins.gis_export.write.archive import zip_files
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.shape_text import degree_grid


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write a KML per layer, and ``doc.kml``, which readers open, with a link to each."""
    folder = path.with_name(f"{path.stem}.tmp")
    try:
        folder.mkdir()
        documents = {}
        for layer in layers:
            document = folder / f"{layer.name}.kml"
            write_document(layer, document)
            documents[f"layers/{document.name}"] = document
        index = folder / "doc.kml"
        index.write_text(_links(layers), encoding="utf-8")
        zip_files({"doc.kml": index} | documents, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _links(layers: Sequence[ExportLayer]) -> str:
    links = [
        f"<NetworkLink><name>{escape(layer.name)}</name>"
        f"<Link><href>layers/{escape(layer.name)}.kml</href></Link></NetworkLink>"
        for layer in layers
    ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>',
            *links,
            "</Document></kml>",
            "",
        ]
    )


FORMAT = ExportFormat(
    title="KMZ",
    suffix=".kmz",
    write=write,
    size_factor=0.8,
    several_layers=True,
    crs="EPSG:4326",
    grid=degree_grid,
    styles=Styles.NONE,
)
