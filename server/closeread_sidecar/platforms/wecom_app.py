"""WeCom's self-built application: WeCom calls us, so it needs an address that WeCom reaches, a trusted domain and trusted IPs.

What comes in is refused, before anything of it is decrypted or answered, unless all of this holds: the caller's IP is trusted, the
Host is the trusted domain, the time is within five minutes, the signature is right, and the nonce was not used in that time. The
algorithm is that of developer.work.weixin.qq.com/document/path/90968: SHA-1 over the sorted token, timestamp, nonce and ciphertext;
AES-256-CBC with the EncodingAESKey; 16 random bytes, the length, the text, the CorpID. A blank key or token refuses to start.

It listens on loopback: in front of it stands the proxy that ends TLS for the trusted domain, named in `proxies`, whose
X-Forwarded-For is believed. What goes out goes to the API, whose answer 60020 means that *our* address is not trusted there;
`status` says so.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import os
import sqlite3
import struct
import time
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator

from ..dialects import as_quoted, as_text
from ..dispatcher import Failed, Refused, Unreachable
from ..message import Answer, Attachment, File, Message, words
from ..settings import Channel, filled, private_url
from . import LARGEST_ATTACHMENT, Host, pieces
from .wecom_robot import unpadded

_WINDOW = 300.0
_LARGEST = 1 << 20


class Settings(Channel):
    """What the application needs."""

    corp_id: Annotated[str, Field(min_length=1)]
    agent_id: int
    secret: SecretStr
    token: SecretStr
    encoding_aes_key: SecretStr
    domain: Annotated[str, Field(min_length=1)]
    """The trusted domain, as its Host header reads."""

    trusted_ips: tuple[str, ...] = ()
    """Addresses or networks that may call; none is nobody. WeCom publishes its own."""

    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Whose X-Forwarded-For is believed."""

    port: Annotated[int, Field(ge=0, le=65535)] = 7392
    path: str = "/wecom"
    base_url: str = "https://qyapi.weixin.qq.com"
    markdown: bool = True
    """WeCom's own; somebody who reads it in WeChat needs plain text."""

    _filled = field_validator("secret", "token")(filled)
    _private = field_validator("base_url")(lambda url: private_url(url, "base-url").rstrip("/"))

    @field_validator("encoding_aes_key")
    @classmethod
    def _key(cls, secret: SecretStr) -> SecretStr:
        filled(secret)
        try:
            if len(base64.b64decode(secret.get_secret_value() + "=")) != 32 or len(secret.get_secret_value()) != 43:
                raise ValueError
        except ValueError:
            raise ValueError("must be the 43 characters that WeCom shows") from None
        return secret

    @field_validator("trusted_ips", "proxies")
    @classmethod
    def _networks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            ipaddress.ip_network(name, strict=False)
        return names


class Forbidden(Exception):
    """A call that must not come in; says why, for the audit log alone."""


class Envelope:
    """WeCom's signature and encryption, in both directions."""

    def __init__(self, token: str, encoding_aes_key: str, receiver: str) -> None:
        self._token, self._key, self._receiver = token, base64.b64decode(encoding_aes_key + "="), receiver.encode()

    def signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """Of what is in the envelope."""
        return hashlib.sha1(
            "".join(sorted((self._token, timestamp, nonce, encrypted))).encode(), usedforsecurity=False
        ).hexdigest()

    def open(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        """What is in the envelope. Raises Forbidden."""
        if not hmac.compare_digest(self.signature(timestamp, nonce, encrypted).encode(), signature.encode()):
            raise Forbidden("the signature is wrong")
        try:
            plain = unpadded(self._cipher().decryptor().update(base64.b64decode(encrypted, validate=True)))
            (length,) = struct.unpack(">I", plain[16:20])
            text, receiver = plain[20 : 20 + length], plain[20 + length :]
        except (ValueError, struct.error, Refused) as error:
            raise Forbidden("the envelope is malformed") from error
        if not hmac.compare_digest(receiver, self._receiver):
            raise Forbidden("it is for another corporation")
        return text

    def seal(self, text: bytes) -> str:
        """`text` in an envelope."""
        plain = os.urandom(16) + struct.pack(">I", len(text)) + text + self._receiver
        count = 32 - len(plain) % 32
        return base64.b64encode(self._cipher().encryptor().update(plain + bytes([count]) * count)).decode()

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        return Cipher(algorithms.AES256(self._key), modes.CBC(self._key[:16]))


class Door:
    """Which calls come in. `now` is seconds since 1970."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trusted = [ipaddress.ip_network(name, strict=False) for name in settings.trusted_ips]
        self._proxies = [ipaddress.ip_network(name, strict=False) for name in settings.proxies]
        self._nonces: dict[tuple[str, str], float] = {}

    def check(self, peer: str, forwarded: str, host: str, timestamp: str, now: float) -> None:
        """Before anything is decrypted. Raises Forbidden."""
        caller = self._address(peer)
        if forwarded:
            if not any(caller in network for network in self._proxies):
                raise Forbidden("it says that it was forwarded, but not by a proxy of ours")
            caller = self._address(forwarded.rpartition(",")[2].strip())  # what our own proxy has seen stands last
        if not any(caller in network for network in self._trusted):
            raise Forbidden("the address is not trusted")
        if host.lower() not in (self._settings.domain.lower(), f"{self._settings.domain.lower()}:443"):
            raise Forbidden("the domain is not the trusted one")
        if (
            not timestamp.isascii()
            or not timestamp.isdigit()
            or len(timestamp) > 12
            or abs(now - int(timestamp)) > _WINDOW
        ):
            raise Forbidden("the time is not now")

    def once(self, timestamp: str, nonce: str, now: float) -> None:
        """After the signature was found right: nobody sends it again. Raises Forbidden."""
        for old in [key for key, at in self._nonces.items() if now - at > 2 * _WINDOW]:
            del self._nonces[old]
        if (timestamp, nonce) in self._nonces:
            raise Forbidden("it was sent before")
        self._nonces[timestamp, nonce] = now

    @staticmethod
    def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        try:
            return ipaddress.ip_address(text)
        except ValueError:
            raise Forbidden("the address makes no sense") from None


class Adapter:
    """See platforms.Platform."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._envelope = Envelope(
            settings.token.get_secret_value(), settings.encoding_aes_key.get_secret_value(), settings.corp_id
        )
        self._door = Door(settings)
        self._client: Any = None
        self._access = ("", 0.0)
        self.port = settings.port
        self.state = "starting"

    async def run(self) -> None:
        """See platforms.Platform. Raises OSError if the port cannot be had."""
        import httpx
        from aiohttp import web

        application = web.Application(client_max_size=_LARGEST)
        application.router.add_get(self._settings.path, self._called)
        application.router.add_post(self._settings.path, self._called)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            async with httpx.AsyncClient(base_url=self._settings.base_url, timeout=20, trust_env=False) as self._client:
                await web.TCPSite(runner, "127.0.0.1", self._settings.port).start()
                self.port = runner.addresses[0][1]
                self.state = "listening" if self._settings.trusted_ips else "listening, but no address is trusted"
                await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _called(self, request: Any) -> Any:
        from aiohttp import web
        from defusedxml import DefusedXmlException, ElementTree

        query, now = request.query, time.time()
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        try:
            self._door.check(
                request.remote or "", request.headers.get("X-Forwarded-For", ""), request.host, timestamp, now
            )
            if request.method == "GET":  # WeCom looks whether the address is ours
                told = self._envelope.open(query.get("msg_signature", ""), timestamp, nonce, query.get("echostr", ""))
                return web.Response(body=told)
            outer = ElementTree.fromstring(await request.read())
            told = self._envelope.open(
                query.get("msg_signature", ""), timestamp, nonce, outer.findtext("Encrypt") or ""
            )
            message = read(ElementTree.fromstring(told))
            # A repeated callback carries a nonce of its own; the message's number then makes it harmless.
            self._door.once(timestamp, nonce, now)
            if message is not None and not (await self._host.receive(message)).kept:
                return web.Response(status=503)  # WeCom calls again
        except Forbidden as error:
            await self._host.refused("wecom_app", str(error))
            return web.Response(status=403)
        except (ElementTree.ParseError, DefusedXmlException, ValueError):
            await self._host.refused("wecom_app", "it is no callback")
            return web.Response(status=403)
        except sqlite3.Error:
            return web.Response(status=503)
        return web.Response()

    async def send(self, answer: Answer) -> str:
        """See platforms.Platform. WeCom itself drops what it was sent twice within half an hour."""
        sent = ""
        kind, said = ("markdown", as_quoted) if self._settings.markdown else ("text", as_text)
        for part in pieces(said(answer.text), 600):  # 2,048 bytes, and a character may have three
            sent = await self._message(answer, {"msgtype": kind, kind: {"content": part}})
        for file in answer.files:
            media = await self._upload(file)
            sent = await self._message(answer, {"msgtype": "file", "file": {"media_id": media}})
        return sent

    async def progress(self, message: Message, text: str, previous: str) -> str:
        """An application's message cannot be edited: no progress."""
        return ""

    async def fetch(self, message: Message, attachment: Attachment) -> File:
        """See platforms.Platform."""
        answer = await self._request("GET", "/cgi-bin/media/get", params={"media_id": attachment.ref}, raw=True)
        if len(answer.content) > LARGEST_ATTACHMENT:
            raise Refused("the attachment is too large")
        return File(attachment.name or "file", answer.content)

    async def _message(self, answer: Answer, content: dict[str, Any]) -> str:
        body = {"touser": answer.conversation, "agentid": self._settings.agent_id, **content}
        body |= {"enable_duplicate_check": 1, "duplicate_check_interval": 1800}
        told = await self._request("POST", "/cgi-bin/message/send", json=body)
        if told.get("invaliduser"):
            raise Refused("WeCom does not know the user")
        return str(told.get("msgid", ""))

    async def _upload(self, file: File) -> str:
        files = {"media": (file.name, file.data)}
        return str(
            (await self._request("POST", "/cgi-bin/media/upload", params={"type": "file"}, files=files))["media_id"]
        )

    async def _request(
        self, method: str, path: str, *, raw: bool = False, params: dict[str, str] | None = None, **more: Any
    ) -> Any:
        import httpx

        if self._client is None:
            raise Unreachable("WeCom's application is not running")
        for last in (False, True):
            try:
                token = await self._token()
                answer = await self._client.request(
                    method, path, params={**(params or {}), "access_token": token}, **more
                )
                if answer.status_code == 429 or answer.status_code >= 500:
                    raise Unreachable(
                        f"WeCom answers {answer.status_code}", 10.0 if answer.status_code == 429 else None
                    )
                if raw and "json" not in answer.headers.get("Content-Type", ""):
                    return answer
                told = answer.json()
                code = int(told.get("errcode", 0))
            except httpx.HTTPError as error:
                raise Unreachable(f"WeCom cannot be reached ({type(error).__name__})") from error
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Failed("WeCom's answer makes no sense") from error
            if code in (40014, 42001) and not last:
                self._access = ("", 0.0)
                continue
            self._judge(code)
            return told
        raise Failed("WeCom does not take its own token")

    async def _token(self) -> str:
        if self._access[1] > time.monotonic():
            return self._access[0]
        secret = self._settings.secret.get_secret_value()
        answer = await self._client.get(
            "/cgi-bin/gettoken", params={"corpid": self._settings.corp_id, "corpsecret": secret}
        )
        told = answer.json()
        self._judge(told.get("errcode", 0))
        self._access = (str(told["access_token"]), time.monotonic() + max(60, int(told.get("expires_in", 7200)) - 300))
        return self._access[0]

    def _judge(self, code: int) -> None:
        """Raises what an error code means."""
        if code == 60020:
            self.state = "our address is not among the application's trusted IPs (60020)"
            raise Unreachable(self.state, 60.0)
        if code in (45009, 45033):
            raise Unreachable(f"WeCom wants a pause ({code})", 60.0)
        if code:
            raise Failed(f"WeCom answers {code}")
        self.state = "listening"


_MEDIA = {"image": ".jpg", "voice": ".amr", "video": ".mp4"}
"""What comes with a number under which it is fetched, and how its name ends. A file is not called back for; WeCom has no word for it."""


def read(told: Any) -> Message | None:
    """A decrypted callback as a message; None if it is an event, or makes no sense."""
    kind, sender, number = (
        told.findtext("MsgType") or "",
        told.findtext("FromUserName") or "",
        told.findtext("MsgId") or "",
    )
    media = (told.findtext("MediaId") or "").strip()
    attachments = (Attachment(kind, f"{kind}{_MEDIA[kind]}", 0, media),) if kind in _MEDIA and media else ()
    content = words((told.findtext("Content") or "") if kind == "text" else "", attachments)
    if not content or not sender or not number:
        return None
    when = told.findtext("CreateTime") or "0"
    return Message(
        "wecom_app", sender, content, attachments, sender, number, time=float(when) if when.isdigit() else 0.0, unique=number,
    )  # fmt: skip
