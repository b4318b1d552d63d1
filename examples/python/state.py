"""The checkpoint in the file of `--state`."""

import os
import pathlib
import stat


def state_file(named: pathlib.Path) -> pathlib.Path:
    """Where the file is, or will be: what symbolic links lead to. Raises `ValueError` if something else than a plain file is there."""
    try:
        path = pathlib.Path(os.path.realpath(named))
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return path
    except OSError as error:
        raise ValueError(f"--state {named}: cannot be reached ({error.strerror}); name another")
    if not stat.S_ISREG(mode):
        raise ValueError(f"--state {named}: is not a plain file; name another")
    return path


def load(path: pathlib.Path) -> bytes | None:
    """The checkpoint of the last run, or `None` before the first."""
    return path.read_bytes() if path.exists() else None


def save(path: pathlib.Path, data: bytes) -> None:
    """As a whole: after a crash the file holds the old bytes or the new ones."""
    new = path.with_name(f"{path.name}.new")
    # One that a killed run left behind, or a link that somebody has put there: it is not followed.
    new.unlink(missing_ok=True)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(file, "wb") as written:
            if path.exists():
                os.fchmod(file, stat.S_IMODE(path.lstat().st_mode) & 0o777)
            written.write(data)
            written.flush()
            os.fsync(file)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # The new name is durable once its folder is.
    finally:
        os.close(folder)
