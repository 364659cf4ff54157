"""A TCP proxy between the application and Neo4j that does to their connections what networks do.

It knows as much of Bolt as is needed to stop at a message: the handshake, and that a message is a run of chunks
(two bytes of length, the bytes) up to an empty one, with its tag in the second byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Literal, Self

HELLO = 20
"""Bytes of a client's first say: four that mean Bolt, and four versions."""
MANIFEST = b"\x00\x00\x01\xff"
"""The server's answer when it sends a list of versions, to which the client answers with its choice."""
BEGIN, COMMIT = 0x11, 0x12
READING = b"\x84mode\x81r"
"""What a BEGIN holds when the transaction only reads."""


class Messages:
    """Cuts what a client says into the parts of its handshake and whole messages."""

    def __init__(self) -> None:
        self.manifest = False
        self._greeting = 2
        self._buffer = bytearray()

    def said(self, data: bytes) -> Iterator[tuple[int | None, bytes]]:
        """What is complete by now: the tag (None in the handshake) and the bytes as they were sent."""
        self._buffer += data
        while size := self._size():
            raw = bytes(self._buffer[:size])
            del self._buffer[:size]
            if self._greeting:
                self._greeting -= 1
                yield None, raw
            else:
                yield raw[3], raw

    def _size(self) -> int:
        buffer = self._buffer
        if self._greeting == 2:
            return HELLO if len(buffer) >= HELLO else 0
        if buffer and self._greeting and not self.manifest:
            self._greeting = 0
        if self._greeting:  # the version chosen and a number of seven bits to a byte, the last below 128
            return next((at + 1 for at in range(4, len(buffer)) if buffer[at] < 128), 0)
        at = 0
        while at + 2 <= len(buffer):
            length = int.from_bytes(buffer[at : at + 2], "big")
            at += 2 + length
            if not length:
                return at
        return 0


class Line:
    """One connection: what comes from the client and what comes from the server."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.swallowed = False
        """Nothing passes any more, and nobody is told: what has lost bytes cannot go on."""
        self._proxy = proxy
        self._messages = Messages()
        self._reading = False
        self._answer_lost = False

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Until both ends have gone."""
        proxy = self._proxy
        if proxy.hole:
            self.swallowed = True
            await self._drained(reader)
            return
        try:
            answers, self.server = await asyncio.open_connection("127.0.0.1", proxy.target, limit=1 << 20)
        except OSError:
            self.reset()
            return
        both = [asyncio.ensure_future(self._ask(reader)), asyncio.ensure_future(self._answer(answers))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self.swallowed:
                await self._drained(reader)
        finally:
            for each in both:
                each.cancel()
            ended = await asyncio.gather(*both, return_exceptions=True)
            self._proxy.broken += [each for each in ended if each and not isinstance(each, OSError | CancelledError)]
            self.client.close()
            self.server.close()

    async def _ask(self, reader: asyncio.StreamReader) -> None:
        assert self.server
        while data := await reader.read(1 << 18):
            await asyncio.sleep(self._proxy.delay)
            for tag, raw in self._messages.said(data):
                if tag == BEGIN:
                    self._reading = READING in raw
                if tag is not None and not self.swallowed:
                    self._proxy.heard(tag)
                if tag == COMMIT and not self._reading and self._proxy.lose:
                    reached, self._proxy.lose = self._proxy.lose == "answer", None
                    self._proxy.lost += 1
                    if not reached:
                        self.reset()
                        return
                    self._answer_lost = True
                if not self.swallowed:
                    self.server.write(raw)
            await self.server.drain()

    async def _answer(self, reader: asyncio.StreamReader) -> None:
        first = True
        while data := await reader.read(1 << 18):
            await asyncio.sleep(self._proxy.delay)
            if first:
                self._messages.manifest = data.startswith(MANIFEST)
                first = False
            if self._answer_lost:
                self.reset()
                return
            if not self.swallowed:
                self.client.write(data)
                await self.client.drain()

    @staticmethod
    async def _drained(reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while await reader.read(1 << 18):
                pass

    def reset(self) -> None:
        """Break both ends at once, with RST in place of a farewell."""
        for writer in (self.client, self.server):
            if writer is not None and (sock := writer.get_extra_info("socket")) is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()


class Proxy:
    """Listens on a free port of this machine and passes on to `target`, until told otherwise. Close it at the end."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.hole = False
        self.delay = 0.0
        """Seconds by which everything is late, each way."""
        self.lose: Literal["commit", "answer"] | None = None
        """What of the next writing transaction's end is lost, with the connection: COMMIT itself, or its answer."""
        self.lost = 0
        """How often that has happened."""
        self.messages = 0
        """How many messages clients have sent."""
        self.opened = 0
        """How many connections there have been."""
        self.on_message: Callable[[int, int], None] = lambda number, tag: None
        """Called with the number and the tag of a message before it is passed on; it may do what is done to lines."""
        self.broken: list[BaseException] = []
        """What went wrong in the proxy itself."""
        self._lines: dict[asyncio.Task[None], Line] = {}
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self.port = 0
        self._wait(self._listen())
        self.url = f"bolt://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self._lines)

    def heard(self, tag: int) -> None:
        """Count a message."""
        self.messages += 1
        self.on_message(self.messages, tag)

    def heal(self) -> None:
        """Pass on again. Connections that have lost bytes stay as dead as they are."""

        async def heal() -> None:
            self.hole, self.delay, self.lose = False, 0.0, None
            await self._listen()

        self._wait(heal())

    def late(self, seconds: float) -> None:
        """Everything is so many seconds late, each way."""
        self.delay = seconds

    def cut(self) -> None:
        """Reset all connections; new ones pass."""
        self._do(self._reset)

    def refuse(self) -> None:
        """Reset all connections and let nobody in."""

        def refuse() -> None:
            if self._server is not None:
                self._server.close()
                self._server = None
            self._reset()

        self._do(refuse)

    def black_hole(self) -> None:
        """Swallow every byte; connections stay, and new ones are taken."""

        def swallow() -> None:
            self.hole = True
            for line in self._lines.values():
                line.swallowed = True

        self._do(swallow)

    def close(self) -> None:
        """End it, with all connections."""
        self.refuse()
        self._wait(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._taken, "127.0.0.1", self.port, limit=1 << 20)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.opened += 1
        line = self._lines[task] = Line(self, writer)
        try:
            await line.run(reader)
        except OSError:
            pass
        finally:
            del self._lines[task]
            writer.transport.abort()

    async def _ended(self) -> None:
        lines = list(self._lines)
        for task in lines:
            task.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def _reset(self) -> None:
        for line in self._lines.values():
            line.reset()

    def _do(self, change: Callable[[], None]) -> None:
        """Make a change in the proxy's own thread, from any."""
        if threading.current_thread() is self._thread:
            change()
        else:

            async def work() -> None:
                change()

            self._wait(work())

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
