"""An option that takes the address of something that runs."""

from __future__ import annotations

import click

__all__ = ["ADDRESS", "SANDBOX_OPTION"]


class _Address(click.ParamType[str]):
    """``https://...``, or ``http://...`` to a loopback name of this machine."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check an address; what would be another one after parsing is refused as well."""
        from fankeep.transport.address import check_address

        try:
            check_address(value, https_only=False)
        except ValueError:
            self.fail("an address is https://..., or http://... on this machine", param, ctx)
        return value


class _SandboxAddress(_Address):
    """The same; without a scheme it is ``http://``."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check an address, completed."""
        return super().convert(value if "://" in value else f"http://{value}", param, ctx)


ADDRESS = _Address()
SANDBOX_OPTION = click.option(
    "--sandbox",
    type=_SandboxAddress(),
    default="http://127.0.0.1:4010",
    show_default=True,
    help="The running sandbox.",
)
