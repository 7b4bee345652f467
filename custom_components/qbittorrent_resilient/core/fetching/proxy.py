"""The address of a proxy that links are fetched through."""

from ..errors import InvalidLinkError
from .web_link import WebLink


def checked_fetch_proxy(text: str) -> str:
    """Return `http://host:port`, or an empty text; raises InvalidLinkError for anything else."""
    if not text.strip():
        return ""
    url = WebLink.parse(text).url
    if url.scheme != "http" or url.user or url.password or url.raw_path_qs != "/":
        raise InvalidLinkError("is not http://host:port")
    return f"http://{url.host_subcomponent}:{url.port}"
