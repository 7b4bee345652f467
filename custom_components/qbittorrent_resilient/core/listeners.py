"""Callbacks that are told of something, each until it unsubscribes."""

from collections.abc import Callable


class Listeners[*Told]:
    """The subscribers of one source, told in the order in which they subscribed."""

    def __init__(self) -> None:
        """Begin without subscribers."""
        self._callbacks: dict[object, Callable[[*Told], None]] = {}

    def subscribe(self, callback: Callable[[*Told], None]) -> Callable[[], None]:
        """Call `callback` from now on; return what ends that."""
        subscription = object()
        self._callbacks[subscription] = callback

        def unsubscribe() -> None:
            self._callbacks.pop(subscription, None)

        return unsubscribe

    def notify(self, *told: *Told) -> None:
        """Tell every subscriber."""
        for callback in list(self._callbacks.values()):
            callback(*told)
