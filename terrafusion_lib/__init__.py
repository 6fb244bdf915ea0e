"""TerraFusion: an open mass-appraisal workbench for county assessors."""

__version__ = "0.1.0"
