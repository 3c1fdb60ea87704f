"""What people see: sign-in, consent, the developer area and the control panel."""

from fankeep.sandbox.pages.account import AccountPages
from fankeep.sandbox.pages.developer import DeveloperPages
from fankeep.sandbox.pages.panel import PanelPages
from fankeep.sandbox.pages.render import PageRenderer, avatar, style_sheet

__all__ = ["AccountPages", "DeveloperPages", "PageRenderer", "PanelPages", "avatar", "style_sheet"]
