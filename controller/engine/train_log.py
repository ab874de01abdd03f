"""What was commanded, as unbroken trains of equal pulses: the rows of `stim.tsv`."""

from controller.engine.recorder import Recorder
from controller.record.tables import Stim
from safety.orders import Deliver, Purpose
from safety.stimulus import Train

Started = tuple[int, Train, Purpose]
"""When a train began (ns), the train, and why."""


class TrainLog:
    """Turns absolute orders into trains. `deliver` and `stop` only take note; the work is in `keep`, off their way."""

    def __init__(self) -> None:
        self._said: list[Deliver | int] = []
        self._running: dict[int, Started] = {}
        self._over: list[tuple[int, Started]] = []

    def deliver(self, order: Deliver) -> None:
        """From the order's stamp on exactly its trains are on."""
        self._said.append(order)

    def stop(self, now_ns: int) -> None:
        """Everything is off."""
        self._said.append(now_ns)

    def _deliver(self, order: Deliver) -> None:
        now = {train.channel: train for train in order.trains}
        for channel, started in list(self._running.items()):
            if now.get(channel) != started[1]:
                self._over.append((order.stamp_ns, self._running.pop(channel)))
        for channel, train in now.items():
            if channel not in self._running:
                self._running[channel] = (order.stamp_ns, train, order.purpose)

    def _stop(self, now_ns: int) -> None:
        self._over += [(now_ns, started) for started in self._running.values()]
        self._running.clear()

    def keep(self, record: Recorder | None, trial: int) -> None:
        """Write down the trains that are over."""
        if not self._said:
            return
        said, self._said = self._said, []
        for one in said:
            if isinstance(one, int):
                self._stop(one)
            else:
                self._deliver(one)
        over, self._over = self._over, []
        if record is None:
            return
        for ended_ns, (started_ns, train, purpose) in over:
            lasted_ns = ended_ns - started_ns
            pulses = lasted_ns // (train.period_us * 1000) + 1
            stim = Stim(
                duration_ns=lasted_ns,
                channel=train.channel,
                amplitude_ua=train.amplitude_ua,
                width_us=train.pulse_width_us,
                period_us=train.period_us,
                purpose=purpose.name.lower(),
                pulses=pulses,
                charge_nc=pulses * train.charge_per_phase_nc,
                trial=trial,
            )
            record.stim(started_ns, stim)
