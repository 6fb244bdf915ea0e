"""What differs between two runs: inputs, rows and figures."""

from typing import Any

IGNORED = {"run_id"}


def diff_runs(one: dict[str, Any], other: dict[str, Any]) -> list[dict[str, Any]]:
    """Differences between two run summaries, as rows (what, item, one, other), in reading order.

    Parameters
    ----------
    one, other : dict
        Summaries as `summary.summarize` makes them.

    Returns
    -------
    list of dict
        Empty if both runs used the same inputs and gave the same results.
    """
    sections = {
        "step": ({row["step"]: row["fingerprint"] for row in run["steps"]} for run in (one, other)),
        "output": (_outputs(run) for run in (one, other)),
        "rows": (_rows(run) for run in (one, other)),
        "expectations": (run["expectations"] for run in (one, other)),
        "valuation": (run["valuation"] for run in (one, other)),
    }
    differences: list[dict[str, Any]] = []
    for what, (left, right) in sections.items():
        differences += [
            {"what": what, "item": item, "one": left.get(item), "other": right.get(item)}
            for item in [*left, *(key for key in right if key not in left)]
            if left.get(item) != right.get(item) and item not in IGNORED
        ]
    return differences


def _rows(run: dict[str, Any]) -> dict[str, int | None]:
    return {
        f"{row['table']} {count}": row[count]
        for row in run["tables"]
        for count in ("read", "filtered", "quarantined", "loaded")
    }


def _outputs(run: dict[str, Any]) -> dict[str, str]:
    return {
        f"{row['step']}/{name}": digest[:16]
        for row in run["steps"]
        for name, digest in row["outputs"].items()
    }
