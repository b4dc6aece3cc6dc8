"""What every group of ratios is given: the databases, where the process under test runs, and how long to measure."""

import random
from dataclasses import dataclass
from pathlib import Path

from tests import servers


@dataclass(frozen=True, slots=True)
class Setting:
    """One run of the benchmarks. `folder` takes the logs of the processes under test; they run on `core`.

    `records` is how many products and users are there, where that is not what is measured.
    """

    mysql: servers.MySQLEndpoint
    dynamodb: servers.DynamoDBEndpoint
    folder: Path
    core: int
    rounds: int
    period_s: float
    seed: int
    records: int = 1000

    def draw(self) -> random.Random:
        """Chance, the same in each run with this seed."""
        return random.Random(self.seed)
