"""One thread of a process, stopped while the others run: a loop that stands still."""

import ctypes
import os


class StoppedThread:
    """Stops one thread of a process, as a debugger does, and no other."""

    def __init__(self, thread):
        self.libc, self.thread = ctypes.CDLL(None, use_errno=True), thread
        self.libc.ptrace.argtypes = [ctypes.c_long] * 4
        self.call(0x4206)  # SEIZE
        self.call(0x4207)  # INTERRUPT
        os.waitpid(thread, 0x40000000)  # __WALL

    def call(self, request):
        if self.libc.ptrace(request, self.thread, 0, 0) != 0:
            raise OSError("ptrace refused")

    def release(self):
        self.call(17)  # DETACH
