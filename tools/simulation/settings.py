"""What users change in the settings, upon which the integration is loaded anew."""

from collections.abc import Callable
from dataclasses import replace

from .known import Plan
from .world import World


def reconfigured(world: World) -> None:
    """Have the user change something, which may be to put it right."""
    world.rng.choice(_CHANGES)(world)
    world.changed_at = world.loop.time()
    world.story(f"reconfigured: {[_shown(one) for one in world.plans]}")


def _priorities(world: World) -> None:
    """Shuffle the priorities."""
    priorities = [one.priority for one in world.plans]
    world.rng.shuffle(priorities)
    world.plans = [
        replace(one, priority=priority)
        for one, priority in zip(world.plans, priorities, strict=True)
    ]


def _vpn(world: World) -> None:
    """Change whether an instance requires the VPN."""
    number = world.rng.randrange(len(world.plans))
    plan = world.plans[number]
    world.plans[number] = replace(plan, requires_vpn=not plan.requires_vpn)


def _address(world: World) -> None:
    """Write an address in place of a name, or the other way round; and a key for a password."""
    number = world.rng.randrange(len(world.plans))
    plan, rng = world.plans[number], world.rng
    changed = replace(plan, by_address=rng.random() < 0.5, by_key=rng.random() < 0.5)
    world.plans[number] = world.corrected(changed)


def _renewed(world: World) -> None:
    """Remove an instance, and set it up again at once."""
    world.remove(world.rng.randrange(len(world.plans)))
    world.set_up_again(world.removed[-1])


def _removed(world: World) -> None:
    """Remove an instance, or set up again what was removed."""
    if world.removed:
        world.set_up_again(world.rng.choice(world.removed))
    elif len(world.plans) > 1:
        world.remove(world.rng.randrange(len(world.plans)))


def _mended(world: World) -> None:
    """Put all addresses and credentials right."""
    world.plans = [world.corrected(plan) for plan in world.plans]


_CHANGES: tuple[Callable[[World], None], ...] = (
    _priorities,
    _vpn,
    _address,
    _renewed,
    _removed,
    _mended,
)


def _shown(plan: Plan) -> str:
    return f"{plan.server}/{plan.priority}{' vpn' if plan.requires_vpn else ''} at {plan.url}"
