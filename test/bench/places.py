"""For recovery.py: processes that live in another network namespace than the bench itself."""

import ctypes
import multiprocessing
import os

CLONE_NEWNET = 0x40000000
FORK = multiprocessing.get_context("fork")


def enter(namespace):
    """This thread, and every one that it starts, is in there from now on."""
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    os.close(descriptor)


class There:
    """A function that runs in a namespace, in a process of its own, with a pipe to it."""

    def __init__(self, namespace, function, *arguments):
        self.pipe, other = FORK.Pipe()
        self.process = FORK.Process(target=self.run,
                                    args=(namespace, function, other, *arguments), daemon=True)
        self.process.start()
        other.close()

    @staticmethod
    def run(namespace, function, pipe, *arguments):
        if namespace is not None:
            enter(namespace)
        function(pipe, *arguments)

    def end(self):
        self.pipe.close()
        self.process.terminate()
        self.process.join()
