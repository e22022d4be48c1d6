"""What tests of the phone's routes share: posting JSON, and a sync sent now."""

import json
from typing import Any

from django.test import Client
from django.utils import timezone


def post(client: Client, url: str, body: object, **headers: str) -> tuple[int, Any]:
    """Status and answer of one post, written as browsers write JSON: in UTF-8."""
    text = json.dumps(body, ensure_ascii=False)
    response = client.post(url, text, content_type="application/json", headers=headers)
    return response.status_code, response.json()


def sync_body(*records: object, **more: object) -> dict[str, Any]:
    """A sync's body sent now."""
    now = timezone.now().isoformat()
    return {"sent_at": now, "last": None, "waiting": len(records), "records": list(records)} | more
