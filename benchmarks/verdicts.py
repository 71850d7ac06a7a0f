"""How often does `compare` claim that fusing helps where it does not, and how often does it find that it does?

python benchmarks/verdicts.py [--tables 200] [--seeds 1] [--rows 600] [--truths unique,…] [--usual] [--processes 2]

Made tables of two modalities of which the truth is known (`sensorium.testing.make_truth`): 600 rows by default, 30% of
them test rows. In those of the first kinds nothing is gained by fusing: neither modality tells anything, one of them is
noise, or both say the same. In the others each tells a part of its own, or both together tell what none tells alone.
Networks are small, three fusions are trained; --usual: what `compare` trains when nothing is set, baselines too. The
claims are those of the verdict. Intervals are exact binomial ones (Clopper and Pearson 1934).
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import torch
from scipy.stats import binomtest

import sensorium
from sensorium.testing.truths import FUSIONS, HELPS, SMALL, TRUTHS, Truth, make_truth


def main() -> None:
    """All tables, some at the same time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=200, help="where nothing is gained; two fifths more where it is")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rows", type=int, default=600, help="of each table")
    parser.add_argument("--truths", default=",".join(TRUTHS), help="kinds of tables, parted by commas")
    parser.add_argument("--usual", action="store_true", help="default settings, fusions and baselines")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    useless = [truth for truth in TRUTHS if truth not in HELPS]
    kinds = [(useless[n % len(useless)], n // len(useless)) for n in range(options.tables)]
    kinds += [(HELPS[n % len(HELPS)], n // len(HELPS)) for n in range(options.tables * 2 // 5)]
    wanted = options.truths.split(",")
    settings = {} if options.usual else {"fusions": FUSIONS, "baselines": ["none"], **SMALL}
    settings |= {"modalities": SMALL["modalities"], "split": SMALL["split"], "seeds": options.seeds}
    jobs = [(truth, number, options.rows, settings) for truth, number in kinds if truth in wanted]
    start = time.perf_counter()
    with ProcessPoolExecutor(options.processes, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        claims = list(pool.map(claims_help, *zip(*jobs, strict=True)))
    for name, group in {**{truth: [truth] for truth in TRUTHS}, "where nothing is gained": useless}.items():
        tell(name, [claim for claim, job in zip(claims, jobs, strict=True) if job[0] in group])
    print(f"{len(jobs)} comparisons in {time.perf_counter() - start:.0f} s")


def claims_help(truth: Truth, number: int, rows: int, settings: dict[str, Any]) -> bool:
    """Is fusing said to help on one table?"""
    table = make_truth(truth, rows=rows, seed=number)
    return sensorium.compare(table, "label", seed=number, progress=False, **settings).helps


def tell(name: str, claims: list[bool]) -> None:
    """How many of the tables, with an interval of the rate."""
    if not claims:
        return
    found = binomtest(sum(claims), len(claims))
    low, high = found.proportion_ci()
    print(f"{name:24} {found.k:4} of {found.n:4}: {found.statistic:.3f}, 95% interval {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()
