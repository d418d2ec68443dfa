"""Names of files and folders as they are given to the command."""

from pathlib import Path
from typing import Any

import click


class Named(click.Path):
    """A file or folder, whose name is not empty: a shell's empty variable would mean the folder one is in.

    Args:
        settings: As of `click.Path`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(path_type=Path, **settings)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102 - as click says
        if not str(value):
            self.fail("its name is empty; give one ('.' is the folder you are in)", param, ctx)
        return super().convert(value, param, ctx)
