"""The command line: ``authconform run | list | explain | app | idp``.

It is a thin front: the runner is pytest, and every command that runs it says which one it stands for. Exit codes are
pytest's, with 4 for whatever is wrong with the command itself. Heavy imports wait inside the commands that need them.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from harness.cli.output import UsageError, complain
from harness.report.words import printable

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,  # errors quote what was typed, which is not markup
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    # What follows "--" is pytest's; click would take its first word for the URL.
    cut = given.index("--") if "--" in given else len(given)
    try:
        code = app(given[:cut], prog_name="authconform", standalone_mode=False, obj=given[cut + 1 :])
    except UsageError as error:
        code = complain(str(error))
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as error:
        # The base class of click's usage errors has no public name that all versions of typer share.
        told = getattr(error, "format_message", None)
        if told is None:
            raise
        code = complain(printable(told()))
    sys.exit(code)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"authconform {version('authconform')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def authconform(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Judge the authentication of a running web application."""
    del version
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def run(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="Origin of the running target; replaces the profile's.")
    ] = None,
    *,
    profile: Annotated[
        str | None, typer.Option(metavar="FILE", help="Or reference:NAME. Default: authconform.toml")
    ] = None,
    report: Annotated[str | None, typer.Option(metavar="DIR", help="Folder for run.json.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="AREA|ID", help="Judge only this; may be repeated.")] = None,
    allow: Annotated[list[str] | None, typer.Option(metavar="aggressive|slow", help="Judge these too.")] = None,
    workers: Annotated[str | None, typer.Option("-n", metavar="N", help="Parallel workers, or auto.")] = None,
) -> int:
    """Judge a target. What follows "--" goes to pytest."""
    from harness.cli.running import Wanted, judge  # noqa: PLC0415

    return judge(Wanted(url, profile, report, tuple(only or ()), tuple(allow or ()), workers, tuple(context.obj)))


@app.command("list")
def list_requirements(
    area: Annotated[str | None, typer.Option(metavar="AREA", help="Only this area.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the requirements."""
    from harness.cli.showing import show_all  # noqa: PLC0415

    show_all(area, as_json=json)


@app.command()
def explain(requirement: Annotated[str, typer.Argument(help="Its id.", metavar="ID")]) -> None:
    """Explain a requirement: why, how tested, sources, remedy."""
    from harness.cli.showing import show_one  # noqa: PLC0415

    show_one(requirement)


@app.command("app", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def reference_app(
    context: typer.Context,
    architecture: Annotated[str, typer.Option(metavar="NAME", help="bearer, cookie or both.")] = "cookie",
    *,
    defect: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Start it with this bug; may be repeated.")
    ] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: any free one.")] = 0,
    tls: Annotated[bool, typer.Option("--tls", help="Over TLS, with a certificate authority of its own.")] = False,
) -> int:
    """Start the reference application, whole or broken.

    It says how to judge it, and passes other options on.
    """
    from harness.cli.demo import serve  # noqa: PLC0415

    extra = [*context.args, *context.obj]
    return serve(architecture, defects=defect or [], port=port, tls=tls, extra=extra)


@app.command("idp", add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def mock_provider(context: typer.Context) -> int:
    """Start the mock OAuth and OpenID Connect provider; ``authconform idp --help`` lists its options."""
    import runpy  # noqa: PLC0415

    # By name: provider and harness meet over HTTP only, and neither imports the other.
    sys.argv[1:] = [*context.args, *context.obj]
    runpy.run_module("mock_idp", run_name="__main__", alter_sys=True)
    return 0
