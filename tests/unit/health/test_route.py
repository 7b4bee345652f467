"""The verdict on a route: what latches it, what ends that, and what does not."""

import json

import pytest

from custom_components.qbittorrent_resilient.core.health.route import QUIET_SECONDS, RouteState
from custom_components.qbittorrent_resilient.core.health.route_record import (
    RouteRecord,
    is_another,
    record_from,
)
from tests.support.core import Time
from tests.support.routes import EXIT, HOME, HOME_V6, TUNNEL, Route, binding

UNBOUND, BOUND, OTHERWISE = binding(), binding("tun0"), binding("wg0")


def stored(route: Route) -> RouteRecord:
    """Return what a restart of Home Assistant reads back from the disk."""
    return record_from(json.loads(json.dumps(route.monitor.record.to_dict())))


@pytest.fixture
def route(time: Time) -> Route:
    return Route(time, HOME, HOME_V6)


@pytest.fixture
def leaking(route: Route) -> Route:
    """Return a route whose server, not bound, has said the home address in message 9."""
    assert route.look((7, TUNNEL), (9, HOME), bound=UNBOUND, last_v4=HOME) == "leaking"
    return route


@pytest.mark.parametrize(
    ("addresses", "fields"),
    [
        ([(5, HOME)], {}),
        ([(5, HOME), (6, TUNNEL)], {"last_v4": TUNNEL}),
        ([], {"last_v4": HOME}),
        ([], {"last_v6": "2001:db8::77"}),
        ([(5, "2001:db8::99")], {}),
        ([(n, f"192.0.2.{n % 250}") for n in range(900, 400, -1)] + [(5, HOME)], {}),
    ],
)
def test_one_piece_of_evidence_is_enough(
    route: Route, addresses: list[tuple[int, str]], fields: dict[str, str]
) -> None:
    assert route.look(bound=BOUND) == "unproven"
    assert route.look(*addresses, **fields) == "leaking"


def test_evidence_class(route: Route) -> None:
    route.look((5, TUNNEL), (9, HOME))
    latch = route.monitor.latch
    assert latch is not None
    assert (latch.source.value, latch.version, latch.since) == ("log", 4, route.time.seconds)
    assert HOME not in repr(latch) + repr(route.monitor.record)


@pytest.mark.parametrize(
    ("bound", "state"),
    [
        (UNBOUND, "exposed"),
        (BOUND, "unproven"),
        (binding(names=("lo", "eth0")), "unproven"),
        (binding(names=("lo", "eth0"), proxy_type="SOCKS5"), "exposed"),
        (binding("tun0", proxy_type="SOCKS5"), "unproven"),
        (binding("", interface_address=TUNNEL, proxy_type="SOCKS5"), "unproven"),
        (binding("eth0", proxy_type="SOCKS5"), "exposed"),
        (binding("eth0"), "unproven"),
    ],
)
def test_exposed(time: Time, bound: object, state: str) -> None:
    assert Route(time, HOME).look(bound=bound) == state
    assert Route(time, HOME, gluetun=True).look(bound=bound) == "unproven"


def test_proven(time: Time) -> None:
    route = Route(time, HOME, exit_address=TUNNEL)
    assert route.look() == "unproven"
    assert route.look((5, TUNNEL)) == "vpn"
    assert route.look((6, EXIT)) == "unproven"
    route.exit_address = None
    assert route.look() == "unproven"
    route.exit_address = EXIT
    assert route.look() == "vpn"


def test_proven_by_a_field(time: Time) -> None:
    assert Route(time, HOME, exit_address=TUNNEL).look(last_v4=TUNNEL) == "vpn"


def test_another_exit_is_no_leak(route: Route) -> None:
    assert route.look((5, TUNNEL), (6, EXIT), last_v4=EXIT, bound=BOUND) == "unproven"


def test_home_address_that_is_the_exit(time: Time) -> None:
    """Home Assistant sits behind the VPN: what it takes for its home is the exit."""
    route = Route(time, TUNNEL, exit_address=TUNNEL)
    assert route.look((5, TUNNEL)) == "vpn"
    assert route.monitor.is_home_the_exit
    route.exit_address = None  # it does not answer just now
    assert route.look((6, TUNNEL), last_v4=TUNNEL) == "unproven"


def test_home_address_learnt_later(time: Time) -> None:
    route = Route(time)
    told: list[tuple[RouteState, RouteState]] = []
    route.monitor.subscribe(lambda before, now: told.append((before, now)))
    assert route.look((5, HOME), (6, TUNNEL)) == "unproven"
    route.home.tell("router", [HOME])
    assert route.monitor.state == "leaking"
    assert told[-1] == (RouteState.UNPROVEN, RouteState.LEAKING)
    assert route.monitor.wants_binding


def test_bound_soon_after_a_home_address_was_learnt(time: Time) -> None:
    """How it was bound before is known: it need not be asked for, and may have changed by then."""
    route = Route(time)
    assert route.look((5, HOME), (6, TUNNEL), bound=UNBOUND) == "exposed"
    route.home.tell("router", [HOME])
    assert route.monitor.state == "leaking"
    assert route.look(bound=BOUND) == "unproven"


def test_another_binding_ends_it(leaking: Route) -> None:
    assert leaking.look(bound=UNBOUND) == "leaking"
    assert leaking.look(bound=binding(interface_address="0.0.0.0")) == "leaking"
    assert leaking.look(bound=BOUND, last_v4=HOME) == "unproven"
    # the log keeps its message, the field its value
    assert leaking.look((7, TUNNEL), (9, HOME), last_v4=HOME) == "unproven"


def test_the_same_binding_does_not_end_it(route: Route) -> None:
    assert route.look((5, HOME), bound=BOUND) == "leaking"
    assert route.look(bound=UNBOUND) == "leaking"
    assert route.look(bound=BOUND) == "leaking"
    assert route.look(bound=OTHERWISE) == "unproven"


def test_evidence_after_the_new_binding(leaking: Route) -> None:
    """What it says after it listens anew is of the new binding, which does not help, then."""
    assert leaking.look((12, HOME), listening=11, bound=BOUND) == "leaking"
    assert leaking.look(bound=BOUND, listening=11) == "leaking"
    assert leaking.look(bound=OTHERWISE, listening=20) == "unproven"


def test_evidence_before_the_new_binding(leaking: Route) -> None:
    assert leaking.look((10, HOME), listening=11, bound=BOUND) == "unproven"


def test_another_process_ends_it(leaking: Route) -> None:
    assert leaking.look((7, TUNNEL), (9, HOME)) == "leaking"
    assert leaking.look((4, TUNNEL), log_began=(3, 500.0)) == "unproven"
    assert leaking.look((9, HOME), log_began=(3, 500.0)) == "leaking"


def test_another_process_that_leaks_as_well(leaking: Route) -> None:
    assert leaking.look((5, HOME), log_began=(3, 500.0)) == "leaking"
    assert leaking.look(log_began=(3, 500.0)) == "leaking"
    assert leaking.look(log_began=(3, 900.0)) == "unproven"


@pytest.mark.parametrize("mark", [None, (3, 100.0), (80, 900.0), (5, 101.0)])
def test_no_sign_of_another_process(leaking: Route, mark: tuple[int, float] | None) -> None:
    """Its log may have lost its first messages, or tell nothing just now."""
    assert leaking.look(log_began=mark) == "leaking"


def test_another_process_while_the_home_is_not_known(leaking: Route) -> None:
    """After a start of Home Assistant the router's sensor has not told yet."""
    leaking.home = type(leaking.home)(leaking.time.clock)
    leaking.begin(stored(leaking))
    assert leaking.look((4, EXIT), log_began=(3, 500.0)) == "leaking"
    leaking.home.tell("router", [HOME])
    assert leaking.look(log_began=(3, 500.0)) == "unproven"


def test_the_users_word_ends_it(leaking: Route) -> None:
    leaking.monitor.mended()
    assert leaking.monitor.state == "exposed"
    assert leaking.look((7, TUNNEL), (9, HOME), last_v4=HOME) == "exposed"
    assert leaking.look((10, HOME), last_v4=HOME) == "leaking"


def test_the_users_word_before_the_first_look(leaking: Route) -> None:
    """What was said before is forgiven, though it is read only after that."""
    monitor = leaking.begin(stored(leaking))
    monitor.mended()
    assert leaking.look((7, TUNNEL), (9, HOME), last_v4=HOME, bound=UNBOUND) == "exposed"
    assert leaking.look((12, HOME)) == "leaking"


def test_a_field_that_comes_back_is_new(leaking: Route) -> None:
    leaking.monitor.mended()
    assert leaking.look(last_v4=HOME) == "exposed"
    assert leaking.look(last_v4=TUNNEL) == "exposed"
    assert leaking.look(last_v4=HOME) == "leaking"


@pytest.mark.parametrize("bound", [BOUND, binding(names=("lo", "eth0"))])
def test_another_address_for_a_while_ends_it(route: Route, bound: object) -> None:
    assert route.look((5, HOME), bound=bound, last_v4=HOME) == "leaking"
    route.time.seconds += QUIET_SECONDS
    assert route.look(bound=bound, last_v4=HOME) == "leaking"
    assert route.look((6, TUNNEL), bound=bound, last_v4=TUNNEL) == "unproven"
    assert route.look((5, HOME), (6, TUNNEL), last_v4=TUNNEL) == "unproven"


def test_not_long_enough(route: Route) -> None:
    route.look((5, HOME), bound=BOUND)
    route.time.seconds += QUIET_SECONDS - 1
    assert route.look((6, HOME), (7, TUNNEL)) == "leaking"
    route.time.seconds += QUIET_SECONDS - 1
    assert route.look() == "leaking"
    route.time.seconds += 1
    assert route.look() == "unproven"


def test_another_address_but_not_bound(leaking: Route) -> None:
    leaking.time.seconds += 10 * QUIET_SECONDS
    assert leaking.look((20, EXIT), last_v4=EXIT, bound=UNBOUND) == "leaking"


def test_another_address_of_the_other_version(route: Route) -> None:
    """That the tunnel has an IPv4 address says nothing of IPv6 that leaks."""
    route.look((5, HOME_V6), bound=BOUND)
    route.time.seconds += 2 * QUIET_SECONDS
    assert route.look((6, TUNNEL)) == "leaking"
    assert route.look((7, "2001:db8:ffff::1")) == "unproven"


def test_restart_of_home_assistant(leaking: Route) -> None:
    """It holds, and so does what ends it."""
    leaking.begin(stored(leaking))
    assert leaking.monitor.state == "leaking"
    assert leaking.look((7, TUNNEL), (9, HOME), last_v4=HOME, bound=UNBOUND) == "leaking"
    assert leaking.look(bound=BOUND, last_v4=HOME) == "unproven"
    leaking.begin(stored(leaking))
    assert leaking.look((7, TUNNEL), (9, HOME), last_v4=HOME, bound=BOUND) == "unproven"
    assert leaking.look((30, HOME), last_v4=HOME) == "leaking"


def test_bound_anew_while_home_assistant_was_down(leaking: Route) -> None:
    leaking.begin(stored(leaking))
    assert leaking.look((7, TUNNEL), (9, HOME), last_v4=HOME, bound=BOUND) == "unproven"


def test_wait_begins_anew_with_home_assistant(route: Route) -> None:
    route.look((5, HOME), (6, TUNNEL), bound=BOUND)
    route.time.seconds += QUIET_SECONDS
    route.begin(stored(route))
    assert route.look((5, HOME), (6, TUNNEL), bound=BOUND) == "leaking"
    route.time.seconds += QUIET_SECONDS
    assert route.look() == "unproven"


def test_binding_that_was_not_found_out(route: Route) -> None:
    """What counts is the binding that is known first after the evidence, whenever that is."""
    route.look((5, HOME))
    assert route.monitor.wants_binding
    route.monitor.observe_binding(None)
    assert route.look(bound=BOUND) == "leaking"
    assert not route.monitor.wants_binding
    assert route.look(bound=OTHERWISE) == "unproven"


def test_forgiven_in_a_new_process_is_not(leaking: Route) -> None:
    leaking.monitor.mended()
    assert leaking.look((5, HOME), log_began=(3, 500.0)) == "leaking"


@pytest.mark.parametrize(
    "text",
    [
        *("{}", "[]", "null", "1", '{"latch": 1, "forgiven": null}'),
        '{"latch": {"since": "x"}, "forgiven": null}',
        '{"latch": null, "forgiven": {"process": 7}}',
        '{"latch": null, "forgiven": {"process": null, "message": "x", "v4": 1, "v6": null}}',
    ],
)
def test_damaged_record(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        record_from(json.loads(text))


@pytest.mark.parametrize(
    ("now", "before", "another"),
    [
        ((3, 500.0), (3, 100.0), True),
        ((3, 50.0), (3, 100.0), True),
        ((3, 100.0), (80, 700.0), True),
        ((5, 9000.0), (3, 100.0), True),
        ((5, 110.0), (3, 100.0), False),
        ((80, 500.0), (3, 100.0), False),
        ((3, 100.0), (3, 100.0), False),
        (None, (3, 100.0), False),
        ((3, 100.0), None, False),
    ],
)
def test_another_process(
    now: tuple[int, float] | None, before: tuple[int, float] | None, another: bool
) -> None:
    assert is_another(now, before) is another
