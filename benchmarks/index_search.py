"""How long a query of an index takes, beside a plain product of all vectors in float64; memory; and size on disk.

    python benchmarks/index_search.py [--sizes 2000 100000 1000000] [--json OUT]

Vectors are random, 384 wide. Both answer the same queries, alternately; the ids and the distances must be equal. The size of
the table and the memory of the process are those after it was opened.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bgs._files import write_json
from bgs.library import Index, open_index
from bgs.library.about import About
from bgs.library.place import Place
from bgs.library.table import ClipTable, Row

WIDTH, K, TARGET_MS = 384, 10, 20
CHUNK = 50_000


def write_vectors(path: Path, n: int) -> None:
    """An index of n random directions, written in chunks."""
    table = ClipTable.create(Place.of(path), About("random", "0" * 64, WIDTH, "/clips"))
    random = np.random.default_rng(0)
    for start in range(0, n, CHUNK):
        count = min(CHUNK, n - start)
        vectors = random.standard_normal((count, WIDTH), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        names = [f"{number:08}.mp4" for number in range(start, start + count)]
        table.add([Row(name, name, f"{hash(name):064x}", 1, 1, np.nan, np.nan) for name in names], vectors)


def plain(index: Index, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Brute force in float64, a chunk at a time: the nearest rows and their distances."""
    query = query.astype(np.float64) / np.linalg.norm(query.astype(np.float64))
    parts = [
        1 - index.vectors[start : start + CHUNK].astype(np.float64) @ query for start in range(0, len(index), CHUNK)
    ]  # fmt: skip
    distances = np.concatenate(parts)
    order = np.argsort(distances, kind="stable")[:K]
    return order, distances[order]


def measure(path: Path, queries: int) -> dict[str, float | bool]:
    """Figures of one index; run in a process of its own, for its memory."""
    begin = time.perf_counter()
    index = open_index(path)
    opened = time.perf_counter() - begin
    random, times, equal = np.random.default_rng(1), [], True
    for _ in range(queries):
        query = random.standard_normal(WIDTH)
        begin = time.perf_counter()
        found = index.nearest(query, K)
        between = time.perf_counter()
        order, distances = plain(index, query)
        times.append((between - begin, time.perf_counter() - between))
        equal &= [one.id for one in found] == [index.ids[i] for i in order]
        equal &= bool(np.allclose([one.distance for one in found], distances, atol=1e-12))
    return {
        "query_ms": 1000 * statistics.median(first for first, _ in times),
        "brute_force_ms": 1000 * statistics.median(second for _, second in times),
        "ratio": statistics.median(first / second for first, second in times),
        "equal": equal,
        "open_seconds": opened,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "vectors_mb": index.vectors.nbytes / 1e6,
        "disk_mb": sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=21)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        write_json(options.json, measure(options.one, options.queries))
        return
    results = {}
    for n in options.sizes:
        with tempfile.TemporaryDirectory() as name:
            write_vectors(Path(name) / "index", n)
            part = [
                "--one",
                f"{name}/index",
                "--queries",
                str(options.queries),
                "--json",
                f"{name}/part.json",
            ]
            subprocess.run([sys.executable, __file__, *part], check=True)
            found = results[f"{n} vectors of {WIDTH}"] = json.loads(Path(name, "part.json").read_text())
        print(
            f"{n:>9,} vectors: query {found['query_ms']:8.2f} ms (brute force in float64 {found['brute_force_ms']:8.1f}), "
            f"equal: {found['equal']}, opened in {found['open_seconds']:.2f} s, peak {found['peak_memory_mb']:,.0f} MB, "
            f"disk {found['disk_mb']:,.0f} MB" + (f" (target {TARGET_MS} ms)" if n == 2_000 else "")
        )
    if options.json:
        write_json(options.json, results)


if __name__ == "__main__":
    main()
