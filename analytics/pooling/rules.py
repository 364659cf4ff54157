"""How many firms a pool needs, and how much of it one of them may be: settings, no claim of compliance with any law."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from chaingraph.settings import PREFIX


class Rules(BaseSettings):
    """Each is the variable CHAINGRAPH_BENCHMARK_<NAME>, or a line of a file `.env`."""

    model_config = SettingsConfigDict(
        env_prefix=f"{PREFIX}BENCHMARK_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    contributors: int = Field(5, ge=3, description="Firms that a pooled figure needs.")
    median_contributors: int = Field(10, ge=5, description="Firms that a median needs; in released cells only.")
    largest: float = Field(1 / 3, gt=0, lt=1, description="At most this share of a sum may be one firm's.")
    two_largest: float = Field(0.6, gt=0, le=1, description="The two largest shares must be less than this.")
    private_contributors: int = Field(100, ge=2, description="Firms that an answer with added noise needs.")
    epsilon: float = Field(1.0, gt=0, description="Privacy loss that all answers with noise about one cell may sum to.")

    def dominated(self, *shares: Sequence[float] | np.ndarray) -> bool:
        """Whether one firm, or two, have too much of any of these sums of values that are not negative.

        The rule is the (n, k) rule of statistical offices for one and for two firms (Hundepool et al., Statistical
        Disclosure Control, Wiley 2012, section 4.2.2). A sum of nothing is dominated by nobody.
        """
        for each in shares:
            falling = np.sort(np.abs(np.asarray(each, np.float64)))[::-1]
            total = falling.sum()
            if total > 0 and (falling[0] > self.largest * total or falling[:2].sum() >= self.two_largest * total):
                return True
        return False


@cache
def rules() -> Rules:
    """The rules of this process, read once."""
    return Rules()
