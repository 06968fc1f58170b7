"""How much is measured: the quick form, the full one, and one so small that it only shows that everything works."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["PLANS", "Plan"]


class Plan(NamedTuple):
    """How much is measured.

    Attributes:
        photos: How many small photos are sent in turn; all answers to them are compared first.
        rounds: How often all contenders take their turn, one photo at a time.
        naive_each: Requests of the baseline in a turn, of each size of photo.
        ours_each: Requests of the service in a turn, likewise; also forward passes of the bare network.
        load_rounds: How often all take their turn under load.
        clients: How many clients send at once then.
        naive_per_client: Requests of each client to the baseline in a turn.
        ours_per_client: Requests of each client to the service in a turn.
        cold_starts: How often the service is started anew; the baseline once, and in the full form as often.
        memory_requests: Answers after which the memory is looked at.
    """

    photos: int
    rounds: int
    naive_each: int
    ours_each: int
    load_rounds: int
    clients: int
    naive_per_client: int
    ours_per_client: int
    cold_starts: int
    memory_requests: int

    def seconds(self, naive: float, ours: float, engines: int) -> float:
        """Estimate how long it takes.

        Args:
            naive: Seconds of the baseline for one photo.
            ours: Seconds of the service for one photo.
            engines: How many forms of the service are measured.
        """
        alone = self.rounds * (2 * self.naive_each * naive + 3 * engines * self.ours_each * ours)
        under_load = self.load_rounds * self.clients * (self.naive_per_client * naive)
        under_load += self.load_rounds * self.clients * engines * self.ours_per_client * ours
        starts = self.cold_starts * 6.0 + 12.0
        return alone + under_load + starts + self.memory_requests * ours


PLANS: Final = {
    "smoke": Plan(1, 1, 1, 2, 1, 2, 1, 1, 1, 3),
    "quick": Plan(4, 5, 2, 6, 2, 8, 1, 4, 3, 50),
    "full": Plan(4, 15, 4, 20, 6, 8, 2, 12, 7, 50),
}
