"""Runs of the pipeline: plan, ledger, notebook execution, promotion."""
