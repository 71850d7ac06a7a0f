"""Run the proofs, or a share of them; a run that was stopped goes on where it was.

python -m acceptance [--share 0.01] [--only NAME] [--folder .acceptance] [--results benchmarks/results]

Cases are spread evenly over a proof's numbers, so that a share of 0.01 takes every hundredth. Finished chunks are kept
in the folder, under the commit, and are not run again. The exit status is 1 where a case fails.
"""

import argparse
import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import acceptance

CHUNK = 250  # cases between two records of progress, where a proof sets no `CHUNK` of its own
SHOWN = 20  # failures that a result lists


def main() -> int:
    """Run what was asked for; write one JSON file for each proof that ran in full."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--only")
    parser.add_argument("--folder", type=Path, default=Path(".acceptance"))
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    names = sorted(module.name for module in pkgutil.iter_modules(acceptance.__path__) if module.name[0] != "_")
    failed = 0
    for name in [options.only] if options.only else names:
        result = run(name, options)
        failed += result["failed"]
        print(f"{name}: {result['cases']:,} cases, {result['failed']} failed, {result['seconds']:.0f} s")
        for line in result["failures"]:
            print(f"  {line}")
        if options.share == 1:
            options.results.mkdir(parents=True, exist_ok=True)
            (options.results / f"acceptance_{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    return 1 if failed else 0


def run(name: str, options: argparse.Namespace) -> dict[str, object]:
    """One proof, from where it was left."""
    proof = importlib.import_module(f"acceptance.{name}")
    cases, chunk = list(range(0, proof.CASES, max(1, round(1 / options.share)))), getattr(proof, "CHUNK", CHUNK)
    commit = output("git", "rev-parse", "HEAD")
    changed = output("git", "status", "--porcelain", "--", "src", "acceptance")
    if changed and options.share == 1:
        raise SystemExit("a whole proof is recorded under its commit: commit first\n" + changed)
    journal = options.folder / f"{name}-{commit[:12]}-{len(cases)}.jsonl"
    journal.parent.mkdir(parents=True, exist_ok=True)
    if changed:
        journal.unlink(missing_ok=True)  # what was found before another change proves nothing
    done = {record["start"]: record for record in map(json.loads, whole_lines(journal))}
    starts = [start for start in range(0, len(cases), chunk) if start not in done]
    with ProcessPoolExecutor(options.processes) as pool, journal.open("a") as stream:
        chunks = [cases[start : start + chunk] for start in starts]
        for start, record in zip(starts, pool.map(check_all, [name] * len(chunks), chunks), strict=True):
            done[start] = {"start": start, **record}
            stream.write(json.dumps(done[start]) + "\n")
            stream.flush()
    failures = [line for record in done.values() for line in record["failures"]]
    return {
        "command": f"python -m acceptance --only {name}",
        "commit": commit,
        "seed": "the number of the case",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "cases": len(cases),
        "failed": len(failures),
        "failures": failures[:SHOWN],
        "seconds": round(sum(record["seconds"] for record in done.values()), 1),
    }


def check_all(name: str, cases: list[int]) -> dict[str, object]:
    """The failures among some cases, and the seconds they took."""
    check = importlib.import_module(f"acceptance.{name}").check
    start = time.perf_counter()
    found = [(case, _checked(check, case)) for case in cases]
    failures = [f"case {case}: {sentence}" for case, sentence in found if sentence]
    return {"failures": failures, "seconds": time.perf_counter() - start}


def _checked(check: Callable[[int], str | None], case: int) -> str | None:
    """A case that can't even be made is a failure too, and the others go on."""
    try:
        return check(case)
    except Exception as error:  # noqa: BLE001
        return f"the proof itself failed: {error!r}"


def whole_lines(journal: Path) -> list[str]:
    """The records that were written whole: a killed run may have left half a line."""
    text = journal.read_text() if journal.exists() else ""
    journal.write_text(text[: text.rfind("\n") + 1])
    return text[: text.rfind("\n") + 1].splitlines()


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
