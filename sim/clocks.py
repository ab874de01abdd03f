"""The clock of a simulated computer beside the true time of the world: drift, steps, and what a suspend looks like.

All processes of one computer read the same clock (`CLOCK_BOOTTIME`: it runs on while the computer sleeps). A suspend is
therefore no step: the processes stand still and find afterwards that time has passed. A step is what a moved virtual
machine or a broken timer shows. The wall clock is nobody's business here: no core can read it.
"""

PPM = 1_000_000
DRIFT_PPM_MAX = 50_000


class HostClock:
    """`read(world)` is the computer's time in ns at a true instant, `when(host)` the true instant of a deadline."""

    def __init__(self, start_ns: int) -> None:
        self._world_ns = start_ns
        self._host_ns = start_ns
        self.drift_ppm = 0
        self.plain = True
        """It shows the true time, so that nobody needs to ask."""

    def read(self, world_ns: int) -> int:
        """The computer's time at the true instant `world_ns` (not before the last change)."""
        if self.plain:
            return world_ns
        passed_ns = world_ns - self._world_ns
        return self._host_ns + passed_ns + passed_ns * self.drift_ppm // PPM

    def when(self, host_ns: int) -> int:
        """The first true instant at which the computer's time is `host_ns` or later."""
        if self.plain:
            return host_ns
        wanted_ns = host_ns - self._host_ns
        world_ns = self._world_ns + wanted_ns * PPM // (PPM + self.drift_ppm)
        while self.read(world_ns) < host_ns:
            world_ns += 1
        return world_ns

    def drift(self, world_ns: int, ppm: int) -> None:
        """From now on it runs `ppm` millionths too fast (or too slow). Raises ValueError beyond 5 %."""
        if not -DRIFT_PPM_MAX <= ppm <= DRIFT_PPM_MAX:
            raise ValueError(f"a clock drifts by at most {DRIFT_PPM_MAX} ppm, not by {ppm}")
        self._rebase(world_ns, 0)
        self.drift_ppm = ppm
        self._see()

    def step(self, world_ns: int, by_ns: int) -> None:
        """It jumps by `by_ns`, forwards or backwards."""
        self._rebase(world_ns, by_ns)
        self._see()

    def _rebase(self, world_ns: int, by_ns: int) -> None:
        self._host_ns = self.read(world_ns) + by_ns
        self._world_ns = world_ns

    def _see(self) -> None:
        self.plain = self.drift_ppm == 0 and self._host_ns == self._world_ns
