"""TDS packets on a socket, in the clear or inside TLS."""

import select
import socket
import ssl
import struct

RESPONSE, PRELOGIN, ATTENTION = 0x04, 0x12, 0x06
END_OF_MESSAGE = 1
RECEIVE = 1 << 16


class ClosedError(Exception):
    """The client is gone."""


class Channel:
    """One client connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.packet_size = 4096
        self._received = b""
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    def message(self) -> tuple[int, bytes]:
        """The next message: its packet type and the data of all its packets."""
        parts = []
        while True:
            kind, status, length = struct.unpack(">BBH4x", self._read(8))
            parts.append(self._read(length - 8))
            if status & END_OF_MESSAGE:
                return kind, b"".join(parts)

    def reply(self, data: bytes, *, last: bool = True, kind: int = RESPONSE) -> bytes:
        """Send `data` as packets; unless `last`, return what does not fill a packet."""
        size = self.packet_size - 8
        while len(data) > size:
            self._packet(kind, data[:size], 0)
            data = data[size:]
        if not last:
            return data
        self._packet(kind, data, END_OF_MESSAGE)
        return b""

    def waiting(self, seconds: float = 0) -> bool:
        """Whether the client has sent something, within `seconds`."""
        if self._received:
            return True
        poll = select.poll()  # select() takes no descriptor above 1023
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(1000 * seconds))

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands inside PRELOGIN packets, then go on inside TLS."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                if self._outgoing.pending:
                    self.reply(self._outgoing.read(), kind=PRELOGIN)
                self._incoming.write(self.message()[1])
            else:
                break
        if self._outgoing.pending:
            self.reply(self._outgoing.read(), kind=PRELOGIN)
        self._tls = tls

    def cut(self) -> None:
        """Break the connection without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _packet(self, kind: int, data: bytes, status: int) -> None:
        self._write(struct.pack(">BBHHBB", kind, status, len(data) + 8, 0, 1, 0) + data)

    def _write(self, data: bytes) -> None:
        if self._tls:
            self._tls.write(data)
            data = self._outgoing.read()
        self.socket.sendall(data)

    def _read(self, size: int) -> bytes:
        while len(self._received) < size:
            self._received += self._receive()
        data, self._received = self._received[:size], self._received[size:]
        return data

    def _receive(self) -> bytes:
        if self._tls:
            try:
                return self._tls.read(RECEIVE)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                raise ClosedError from error
        data = self.socket.recv(RECEIVE)
        if not data:
            raise ClosedError
        if self._tls:
            self._incoming.write(data)
            return b""
        return data
