"""`closeread cache stats | clear`: what is remembered between scans."""

from __future__ import annotations

import typer

from ..console import complaints, fail


def register(app: typer.Typer) -> None:
    """Attach the commands."""
    group = typer.Typer(name="cache", help="What is remembered between scans.", no_args_is_help=True)
    group.command()(stats)
    group.command()(clear)
    app.add_typer(group)


def stats() -> None:
    """Say where the cache is and what it holds."""
    with complaints():
        from ..store import LARGEST, WANTED, Store

        store = Store()
        typer.echo(f"folder   {store.folder}")
        typer.echo(f"results  {store.count():,}")
        known = store.statistics()
        growth = f" (up to {LARGEST / 1e6:,.0f} while full and fewer than {WANTED:.0%} are answered)"
        rate = (
            f"{known.rate:.0%} of {known.hits + known.misses:,} questions" if known.rate is not None else "nobody asked"
        )
        typer.echo(f"size     {store.size() / 1e6:.1f} MB, at most {known.limit / 1e6:,.0f}{growth}")
        typer.echo(f"answered {rate}")
        store.close()
        if store.warning:
            fail(store.warning)


def clear() -> None:
    """Forget every result. Changes nothing but the time of the next scan."""
    with complaints():
        from ..platform_ import reason
        from ..store import Store

        store = Store()
        try:
            store.clear()
        except OSError as error:
            fail(f"the cache in {store.folder} cannot be cleared: {reason(error)}")
        typer.echo(f"Cleared {store.folder}.")
