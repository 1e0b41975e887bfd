"""Files over XMPP: the user's own server lends a place for them (XEP-0363), and a message names it (XEP-0066).

A message may name any address; one is fetched only where it lies with the account's own domain, or a host that the settings name, by
https with a checked certificate, and without following a redirect.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ...dispatcher import Refused, Unreachable
from ...message import Attachment, File
from .. import LARGEST_ATTACHMENT

_PATIENCE = 20.0
_HEADERS = ("authorization", "cookie", "expires")
"""Those that a server may ask for (XEP-0363, 4)."""


class Files:
    """The place for files of one connection. `ca` is the authority of its certificate, if it is one of the user's own."""

    def __init__(self, client: Any, hosts: tuple[str, ...], ca: Path | None) -> None:
        self._client, self._hosts = client, hosts
        self._tls = ssl.create_default_context(cafile=str(ca) if ca else None)
        self._service: Any = None

    async def put(self, file: File) -> str:
        """Leave a file there; gives its address, "" if the server has no such place. Raises Refused or Unreachable."""
        import httpx
        from slixmpp.exceptions import IqError, IqTimeout

        plugin = self._client.plugin["xep_0363"]
        try:
            if self._service is None:
                found = await plugin.find_upload_service(timeout=_PATIENCE)
                if found is None:
                    return ""
                self._service = found["from"]
            answer = await plugin.request_slot(
                self._service, _name(file.name), len(file.data), "application/octet-stream", timeout=_PATIENCE
            )
        except IqError as error:
            raise Refused(f"the server takes no such file ({error.condition})") from error
        except (IqTimeout, TimeoutError) as error:
            raise Unreachable("the XMPP server does not answer") from error
        slot = answer["http_upload_slot"]
        headers = {each["name"]: each["value"] for each in slot["put"]["headers"] if each["name"].lower() in _HEADERS}
        headers["Content-Type"] = "application/octet-stream"
        put, get = str(slot["put"]["url"]), str(slot["get"]["url"])
        if urlsplit(put).scheme != "https" or urlsplit(get).scheme != "https":
            raise Refused("the server's place for files has no https")
        try:
            async with httpx.AsyncClient(verify=self._tls, timeout=60, trust_env=False) as http:
                (await http.put(put, content=file.data, headers=headers)).raise_for_status()
        except httpx.HTTPStatusError as error:
            raise Refused(f"the server's place for files answers {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise Unreachable(f"the server's place for files cannot be reached ({type(error).__name__})") from error
        return get

    async def get(self, attachment: Attachment) -> File:
        """The bytes at an address that a message named. Raises Refused or Unreachable."""
        import httpx

        parts = urlsplit(attachment.ref)
        host = (parts.hostname or "").lower()
        if parts.scheme != "https" or not any(host == own or host.endswith(f".{own}") for own in self._hosts):
            raise Refused("the attachment lies at an address that is not the server's")
        data = b""
        try:
            async with (
                httpx.AsyncClient(verify=self._tls, timeout=30, trust_env=False) as http,
                http.stream("GET", attachment.ref) as answer,
            ):
                answer.raise_for_status()
                async for chunk in answer.aiter_bytes():
                    data += chunk
                    if len(data) > LARGEST_ATTACHMENT:
                        raise Refused("the attachment is too large")
        except httpx.HTTPStatusError as error:
            raise Refused(f"the attachment cannot be had ({error.response.status_code})") from error
        except httpx.HTTPError as error:
            raise Unreachable(f"the attachment cannot be fetched ({type(error).__name__})") from error
        return File(attachment.name or "file", data)


def named(address: str) -> Attachment:
    """What a message says of a file: its address alone."""
    return Attachment("file", unquote(urlsplit(address).path.rpartition("/")[2])[:200], 0, address)


def _name(name: str) -> str:
    return (
        "".join(character if character.isalnum() or character in "._-" else "_" for character in name)[-100:] or "file"
    )
