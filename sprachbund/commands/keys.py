"""`keys`: API keys of a service, made, listed and revoked."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sprachbund.commands.arguments import JsonOption

if TYPE_CHECKING:
    from service.settings import Scope

SCOPES: tuple[Scope, ...] = ("read", "download")


def keys(
    what: Annotated[Literal["make", "list", "revoke"], typer.Argument(help="make, list or revoke.")],
    name: Annotated[str | None, typer.Argument(help="Whose key it is, or what it is for.")] = None,
    file: Annotated[
        Path, typer.Option(envvar="SPRACHBUND_KEYS", help="The file of keys; the service reads it again as it changes.")
    ] = Path("keys.json"),
    scope: Annotated[list[str] | None, typer.Option(help="read, download; repeatable, both where left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make, list or revoke API keys of a service; a key is shown once, and kept as its hash alone."""
    from service.keys import make_key, revoke_key

    if unknown := sorted(set(scope or ()) - set(SCOPES)):
        raise typer.BadParameter(f"{', '.join(unknown)}: there is read and download", param_hint="--scope")
    if what == "list":
        _list(file, as_json)
        return
    if name is None:
        raise typer.BadParameter(f"`keys {what}` needs a name", param_hint="NAME")
    if what == "revoke":
        revoke_key(file, name)
        said = {"revoked": name}
    else:
        said = {"name": name, "key": make_key(file, name, [one for one in SCOPES if one in (scope or SCOPES)])}
    if as_json:
        print(json.dumps(said))
    elif what == "revoke":
        Console().print(f"Revoked: {escape(name)}. A running service refuses it from now on.", highlight=False)
    else:
        Console().print(f"{said['key']}", markup=False, highlight=False, soft_wrap=True)
        Console(stderr=True).print(
            f"Shown this once. Send it as `Authorization: Bearer KEY`; serve with SPRACHBUND_KEYS={file}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _list(file: Path, as_json: bool) -> None:
    from service.keys import read_keys

    found = read_keys(file)
    if as_json:
        print(json.dumps({"keys": [asdict(key) for key in found]}))
        return
    table = Table("name", "scopes", "since", box=None)
    for key in found:
        table.add_row(escape(key.name), ", ".join(key.scopes), key.created)
    Console().print(
        table if found else f"{file} has no key yet; `sprachbund keys make NAME` makes one", highlight=False
    )
