"""Runs the demo: sets the stage, goes through the steps, prints the table, cleans up."""

import argparse
import asyncio
from contextlib import AsyncExitStack, suppress
import os
import signal
import sys
import time

from tests.support.harness.home_assistant import HomeAssistant, default_program
from tests.support.harness.home_assistant_api import ApiError
from tests.support.harness.home_assistant_flow import FlowError
from tests.support.harness.process import StartError, UnavailableError
from tests.support.harness.vpn import enter_own_namespace
from tests.support.harness.workspace import workspace

from .console import Console
from .dashboard import show_dashboard
from .servers import PASSWORD, make_servers
from .stage import Stage, log_of_integration
from .steps import STEPS, play
from .tunnel import make_tunnel

NO_NAMESPACE_SERVED = "with --serve only root can have a network namespace and be reached"
STOPPED = 130


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="script/demo", description="Carry magnets past a VPN outage, on real parts."
    )
    parser.add_argument(
        "--serve", action="store_true", help="leave it running afterwards, until Ctrl-C"
    )
    parser.add_argument("--port", type=int, help="the port of Home Assistant (default: any)")
    return parser.parse_args()


def isolate(options: argparse.Namespace) -> str:
    """Get the right to make network namespaces; return why there is none."""
    if os.geteuid() == 0:
        return ""
    if options.serve:
        return NO_NAMESPACE_SERVED
    try:
        enter_own_namespace()
    except UnavailableError as err:
        return str(err)
    return ""


def console_for(*, vpn: bool, servers: bool) -> Console:
    """Return the table; stand-ins are named in its head."""
    marks = (" (stand-in)" if vpn else "", " (stand-in)" if servers else "")
    headings = ["Step", "VPN by target" + marks[0], "by gluetun (fake)"]
    headings += ["Primary" + marks[1], "Its route", "Secondary" + marks[1], "Queued", "Active"]
    headings += ["Primary lists", "Secondary lists", "Took", "As promised"]
    return Console(headings, [27, 13, 17, 8, 9, 11, 6, 9, 27, 15, 6, 11])


async def set_stage(stack: AsyncExitStack, options: argparse.Namespace, no_namespace: str) -> Stage:
    """Start every part; the stack ends them all."""
    folder = stack.enter_context(workspace("demo"))
    tunnel, no_tunnel = make_tunnel(no_namespace)
    stack.callback(tunnel.end)
    await stack.enter_async_context(tunnel.gluetun)
    primary, secondary, no_servers = make_servers(folder, tunnel.world)
    console = console_for(vpn=tunnel.stand_in, servers=primary.stand_in)
    console.say("qBittorrent Resilient: magnets past a VPN outage")
    console.say()
    for name, what, reason in (
        ("Primary", f"{primary.what}; it requires the VPN", no_servers),
        ("Secondary", f"{secondary.what}; it does not require the VPN", no_servers),
        ("VPN", tunnel.what, no_tunnel),
    ):
        console.say(f"{name:<15} {what}")
        if reason:
            console.say(f"{'':<15} NOT THE REAL THING, because: {reason}")
    for server in (primary, secondary):
        console.note(f"starting {server.name}")
        stack.push_async_callback(server.end)
        await server.start()
    home_assistant = HomeAssistant(folder / "home-assistant", port=options.port)
    stack.push_async_callback(home_assistant.kill)
    began = time.monotonic()
    await home_assistant.start(progress=lambda _: console.note("starting Home Assistant"))
    seconds = time.monotonic() - began
    version = (await home_assistant.api.get("/api/config"))["version"]
    console.say(f"{'Home Assistant':<15} {version}, started in {seconds:.1f} s")
    console.say()
    return Stage(home_assistant, primary, secondary, tunnel, console, {})


async def run(stage: Stage, *, dashboard: bool) -> list[str]:
    """Go through the steps and return the problems; a dashboard then has them as its history."""
    console, problems = stage.console, []
    console.note("setting the integration up")
    try:
        await stage.configure()
        if dashboard:
            await show_dashboard(stage.api)
    except (ApiError, FlowError, KeyError, ValueError) as err:
        return [f"setting it up: {err}"]
    console.head()
    async for result in play(stage):
        cells = result.view.cells() if result.view else ["?"] * 9
        verdict = "NO" if result.problems else "yes"
        console.row([result.title, *cells, f"{result.seconds:.1f} s", verdict])
        for text in result.problems or result.details:
            console.say(f"   {text}")
        problems += [f"step {result.title}: {text}" for text in result.problems]
    return problems


async def serve(stage: Stage) -> None:
    """Leave it running until it is interrupted."""
    say = stage.console.say
    home_assistant = stage.home_assistant
    say()
    say(f"The dashboard is at {home_assistant.url}")
    say(f"Log in as {home_assistant.username} with the password {home_assistant.password}")
    for server in (stage.primary, stage.secondary):
        say(f"{server.name} runs at {server.url} ({server.username}, {PASSWORD})")
    say("Press Ctrl-C to stop it all.")
    with suppress(asyncio.CancelledError):  # this is how it is meant to end
        await asyncio.Event().wait()


def cancel_on_signals() -> None:
    """Let the first signal end the demo in order; later ones do not disturb the cleaning up."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    signals = []

    def stop(number: int) -> None:
        """End the demo once."""
        signals.append(number)
        if task is not None and len(signals) == 1:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)


async def demo(options: argparse.Namespace, no_namespace: str) -> int:
    """Run it all and return the exit status."""
    cancel_on_signals()
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        stage = await set_stage(stack, options, no_namespace)
        problems = await run(stage, dashboard=options.serve)
        stage.console.say()
        steps = len({title.split()[0].rstrip("ab") for title, _ in STEPS})
        if not problems:
            seconds = time.monotonic() - began
            real = not (stage.primary.stand_in or stage.tunnel.stand_in)
            how = "on real parts" if real else "PARTLY WITH STAND-INS"
            stage.console.say(f"All {steps} steps were as promised, {how}, in {seconds:.0f} s.")
        else:
            stage.console.say("NOT as promised:")
            for problem in problems:
                stage.console.say(f"- {problem}")
            await asyncio.sleep(1)  # what is logged comes late
            if log := log_of_integration(stage.home_assistant):
                stage.console.say("What Home Assistant logged of the integration:")
                stage.console.say(log)
        if options.serve:
            await serve(stage)
    return 1 if problems else 0


def main() -> int:
    """Run the demo as a program."""
    options = arguments()
    try:
        default_program()
        no_namespace = isolate(options)
        return asyncio.run(demo(options, no_namespace))
    except asyncio.CancelledError, KeyboardInterrupt:
        print("\nStopped, and cleaned up.")
        return STOPPED
    except StartError as err:
        print(f"Error: {err}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
