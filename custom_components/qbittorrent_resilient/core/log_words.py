"""What the log says of numbers and of unexpected errors: plain words, and nothing private."""

from pathlib import Path


def counted(count: int, noun: str) -> str:
    """Return a number of things, such as "1 magnet" or "2 magnets"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def cause(err: BaseException) -> str:
    """Return why something failed: what the system says, or where in the code it was.

    The text of an error may hold what was read, a host, or a link, and is never part of it.
    """
    if isinstance(err, OSError) and err.strerror:
        return err.strerror.lower()
    trace = err.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unexpected error"
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"
    return f"unexpected error in {place}"
