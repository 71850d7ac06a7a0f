"""Help of a command, with its arguments shown as TABLE and MODEL, and its errors about values in plain words."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand


class Command(TyperCommand):
    """Command whose arguments are shown by their name alone; Typer shows `{TABLE}` and `TABLE <str>`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            least = getattr(error.param, "min", None)
            if least is not None:  # the numbers of all commands are integers
                error.message = f"it must be an integer, at least {least}"
            raise

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            found = [p.get_help_record(ctx) for p in self.get_params(ctx) if p.param_type_name == kind]
            records = [record for record in found if record]
            if kind == "argument":
                records = [(name.partition(" ")[0], text) for name, text in records]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
