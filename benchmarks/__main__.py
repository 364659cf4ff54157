"""`python -m benchmarks`: every measurement, as a table."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import consortium, disclosure, lives, loading, serving, sharing, uploads


def main() -> None:
    """Measure in a temporary folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = loading.run(folder)
        loading.cold(url)
        serving.run(folder, url)
        consortium.run(url)
        lives.run(folder)
        sharing.run()
        disclosure.run()
        uploads.run(folder)


if __name__ == "__main__":
    main()
