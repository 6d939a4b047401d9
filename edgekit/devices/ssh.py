"""A Raspberry Pi or any Linux board with OpenSSH: LiteRT there, in a process for each window."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import ClassVar

from edgekit.devices._litert.device import OPTIONS, LiteRtDevice
from edgekit.devices._litert.place import Place
from edgekit.devices.base import Job
from edgekit.equipment import Needs, Option
from edgekit.errors import UsageError


class Driver(LiteRtDevice):
    """LiteRT on a board."""

    title = "Linux board over ssh: ai-edge-litert or tflite-runtime there"
    kind = "linux"
    options: ClassVar[Mapping[str, Option]] = {
        "host": Option("name of your ssh configuration, or user@address"),
        "port": Option("of its ssh server, if not the configuration's", "whole"),
        "config": Option("path of an ssh configuration, if not your own"),
        "python": Option("that runs the worker there; default python3"),
        **OPTIONS,
    }
    needs = Needs(tools=("ssh",))

    def __init__(self) -> None:
        super().__init__()
        self._token = secrets.token_hex(8)

    def _connect(self, job: Job) -> Place:
        from edgekit.devices._ssh.board import Board
        from edgekit.devices._ssh.connection import Connection

        given = job.options
        host = given.get("host", "")
        if not host or host.startswith("-"):
            raise UsageError("ssh: no host is given", "set host in lab.toml, or --set host=NAME")
        connection = Connection(host, given.get("port"), given.get("config"))
        return Board(connection, host, given.get("python", "python3"), self._token)

    def identity(self) -> str:
        """The board."""
        given = self.job.options
        return f"ssh {given.get('host', '')} {given.get('port', '')}".strip()
