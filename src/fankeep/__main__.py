"""``python -m fankeep``."""

from fankeep.cli import main

main()
