"""What says the home's own address in a real Home Assistant, in place of the sensor of a router."""

from .home_assistant_api import Api
from .world_places import HOME

NAME, ENTITY_ID = "Router external IP", "sensor.router_external_ip"


async def make_home_sensor(api: Api, address: str = HOME.near[0]) -> str:
    """Make the sensor as a user makes a helper; return the id of its entity."""
    flow = await api.config_flow("template")
    await flow.expect("menu", "user").choose("sensor")
    await flow.expect("form", "sensor").submit(name=NAME, state=address)
    flow.expect("create_entry")
    return ENTITY_ID
