"""Packs the integration for a release, its version taken from the tag.

Usage: package.py TAG FILE.zip
The zip's root are the integration's files, as the store expects them.
"""

import json
from pathlib import Path
import re
import sys
import zipfile

FOLDER = Path(__file__).parents[2] / "custom_components" / "qbittorrent_resilient"
VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:b\d+)?)")


def package(tag: str, target: Path) -> None:
    """Write the zip; raises ValueError where the tag is no version."""
    if (match := VERSION.fullmatch(tag)) is None:
        raise ValueError(f"{tag} is no version such as v1.2.3")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        for path in sorted(FOLDER.rglob("*")):
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            data = path.read_bytes()
            if path == FOLDER / "manifest.json":
                manifest = json.loads(data) | {"version": match[1]}
                data = (json.dumps(manifest, indent=2) + "\n").encode()
            pack.writestr(path.relative_to(FOLDER).as_posix(), data)


if __name__ == "__main__":
    try:
        package(sys.argv[1], Path(sys.argv[2]))
    except (IndexError, ValueError) as err:
        sys.exit(f"Error: {err}\n{__doc__}")
