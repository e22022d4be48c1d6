"""demo_accounts: who can sign in to the demonstration."""

from dataclasses import asdict
from typing import Any

from operations.commands import JsonCommand
from portal.demo.accounts import accounts_read


class Command(JsonCommand):
    """Prints the accounts that make_demo made on this installation, none elsewhere."""

    help = "列出演示账号"

    def answer(self, **options: Any) -> dict[str, Any]:
        return {"accounts": [asdict(account) for account in accounts_read()]}
