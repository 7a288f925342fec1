"""The whole table: MinHash, quality signals, languages and a changed threshold, one after the other on one machine.

    python -m benchmarks.scale DATA --peer-python PEER/bin/python --text-dedup-python OTHER/bin/python

PEER has datatrove, datasketch and rensa, OTHER has text-dedup: `benchmarks/dedup.py` says how they are made. Each part
is a benchmark of its own that can be run alone. With all sizes of MinHash it takes some forty minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with html, eurlex, langid")
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--text-dedup-python", required=True)
    parser.add_argument("--sizes", default="20000,200000,1000000,5000000", help="documents, for MinHash")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        peers = ["--peer-python", options.peer_python]
        maltese = options.data / "pdf" / "typeset" / "UDHR_MT.truth.txt"
        more = ["--text-dedup-python", options.text_dedup_python, "--default", "--sizes", options.sizes]
        extra = ["--extra", f"mt={maltese}", "--extra", f"mt={ROOT / 'benchmarks' / 'language_mt.txt'}"]
        parts = [
            ["benchmarks.dedup", *peers, *more, "--scratch", scratch],
            ["benchmarks.quality", str(options.data), *peers],
            ["benchmarks.language", str(options.data), *extra],
            ["benchmarks.judging", f"{scratch}/judging"],
        ]
        failed = []
        for name, *arguments in parts:
            print(f"\n# {name}\n", flush=True)
            folders = f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}"
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": folders}
            if subprocess.run([sys.executable, "-m", name, *arguments], env=environment, check=False).returncode:
                failed.append(name)
    for name in failed:
        print(f"FAILED {name}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
