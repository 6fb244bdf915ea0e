"""How an export is written, styled and published."""
