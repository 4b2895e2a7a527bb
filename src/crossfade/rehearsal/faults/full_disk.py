"""A disk that can be full: runs a program whose files cannot grow while a mark says so.

    python -m crossfade.rehearsal.faults.full_disk FOLDER MARK PROGRAM [ARGUMENT]…

The kernel asks us about each of the program's writes (seccomp's user notification, seccomp_unotify(2)). While the file
MARK exists, a write beyond the end of a file below FOLDER fails with ENOSPC; every other goes its way. So the program
meets what it would meet on a full disk, where what is allocated can still be overwritten, and nobody else does. It
takes no privilege; Linux 5.5 on x86-64. The program keeps this process's id; who answers for it is a process apart,
and ends when the program and all it started have.
"""

import array
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYS_SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER = 317, 1, 8
_PR_SET_NO_NEW_PRIVS, _PR_SET_NAME = 38, 15
_ARCH_X86_64: Final = 0xC000003E
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_WRITE, _PWRITE, _PWRITEV, _PWRITEV2, _FALLOCATE = 1, 18, 296, 328, 285
_PAGE = 8192
_RECEIVE, _SEND, _CONTINUE = 0xC0502100, 0xC0182101, 1
_REQUEST = struct.Struct("=QIIiIQ6Q")  # id, pid, flags, number, architecture, instruction, six arguments
_ANSWER = struct.Struct("=QqiI")  # id, value, error, flags
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _THIRD_ARGUMENT_AT = 0, 4, 32


@dataclass(frozen=True, slots=True)
class Disk:
    """What is asked about: files below `folder`, while `mark` exists."""

    folder: Path
    mark: Path

    def refuses(self, pid: int, number: int, arguments: tuple[int, ...]) -> bool:
        """Whether the write would need room that is not there."""
        if not self.mark.exists():
            return False
        place = Path(f"/proc/{pid}/fd/{arguments[0]}")
        with suppress(OSError):
            if place.readlink().is_relative_to(self.folder):
                return _end(pid, number, arguments) > place.stat().st_size
        return False  # the process has gone, or the file is none of ours


def _end(pid: int, number: int, arguments: tuple[int, ...]) -> int:
    """Up to where the file would reach; of a write in pieces, its first byte."""
    match number:
        case 18:
            return arguments[3] + arguments[2]
        case 285:
            return arguments[2] + arguments[3]
        case 1:
            for line in Path(f"/proc/{pid}/fdinfo/{arguments[0]}").read_text(encoding="ascii").splitlines():
                if line.startswith("pos:"):
                    return int(line.split()[1]) + arguments[2]
            return 0
        case _:
            return arguments[3] + 1


def ask_about_writes() -> int:
    """From now on the kernel asks about this process's writes and those of all it starts; who answers has this handle.

    Raises `OSError` where the kernel does not offer it.
    """
    program = _filter()
    code = ctypes.create_string_buffer(b"".join(program))
    head = struct.pack("HP", len(program), ctypes.addressof(code))
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise _last_error()
    handle = _LIBC.syscall(_SYS_SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.create_string_buffer(head))
    if handle < 0:
        raise _last_error()
    return int(handle)


def _filter() -> list[bytes]:
    """Ask about writes at a place, and about plain ones of a page: what else is written so is no table and no log."""

    def if_equal(value: int, then: int, otherwise: int) -> bytes:
        return _INSTRUCTION.pack(_IF_EQUAL, then, otherwise, value)

    return [
        _INSTRUCTION.pack(_LOAD, 0, 0, _ARCHITECTURE_AT),
        if_equal(_ARCH_X86_64, 0, 8),
        _INSTRUCTION.pack(_LOAD, 0, 0, _NUMBER_AT),
        if_equal(_PWRITE, 7, 0),
        if_equal(_PWRITEV, 6, 0),
        if_equal(_PWRITEV2, 5, 0),
        if_equal(_FALLOCATE, 4, 0),
        if_equal(_WRITE, 0, 2),
        _INSTRUCTION.pack(_LOAD, 0, 0, _THIRD_ARGUMENT_AT),
        if_equal(_PAGE, 1, 0),
        _INSTRUCTION.pack(_RETURN, 0, 0, _ALLOW),
        _INSTRUCTION.pack(_RETURN, 0, 0, _ASK),
    ]


def answer(handle: int, disk: Disk) -> None:
    """Answer until nobody is left who could ask."""
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    request = bytearray(_REQUEST.size)
    while True:
        for _, event in waiting.poll():
            if event & select.POLLHUP:
                return
        request[:] = bytes(_REQUEST.size)
        try:
            fcntl.ioctl(handle, _RECEIVE, request)
        except OSError as fault:
            if fault.errno in {errno.EINTR, errno.ENOENT}:  # who asked has been interrupted or killed meanwhile
                continue
            raise
        asked, pid, _, number, _, _, *arguments = _REQUEST.unpack(request)
        refused = disk.refuses(pid, number, tuple(arguments))
        reply = _ANSWER.pack(asked, 0, -errno.ENOSPC if refused else 0, 0 if refused else _CONTINUE)
        with suppress(OSError):  # who asked has gone
            fcntl.ioctl(handle, _SEND, reply)


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def _apart(ours: socket.socket, disk: Disk) -> None:
    """In a process of its own that is nobody's child: the program would wonder at one it has not started."""
    if os.fork():
        os._exit(0)
    os.setsid()
    _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    ours.close()
    answer(array.array("i", ancillary[0][2])[0], disk)


def main(words: list[str]) -> None:
    """Does not return: becomes the program."""
    disk, program = Disk(Path(words[0]).resolve(), Path(words[1])), words[2:]
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        theirs.close()
        try:
            _apart(ours, disk)
        finally:
            os._exit(0)
    ours.close()
    os.waitpid(child, 0)
    handle = ask_about_writes()
    theirs.sendmsg([b"!"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))])
    theirs.close()
    os.close(handle)
    os.execv(program[0], program)  # noqa: S606 - that is what it is for


if __name__ == "__main__":
    main(sys.argv[1:])
