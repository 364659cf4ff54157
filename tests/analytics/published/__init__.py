"""Worked examples that others have published: their data, what they print, and where. A line of JSON each.

`fits.jsonl` are fits of life distributions and test plans, `others.jsonl` all else: survival curves, repairable
systems, growth, comparison and regression, pooling, delays, warranty. `expected` lists quantities as printed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def examples(file: str) -> dict[str, dict[str, Any]]:
    """The examples of a file by their names."""
    lines = Path(__file__).with_name(f"{file}.jsonl").read_text(encoding="utf-8").splitlines()
    return {each["name"]: each for each in map(json.loads, lines)}
