"""Stops programs after each call that has to do with sockets, and looks at what they hold then.

Threads are traced with ptrace(2), from call to call. When the tracer ends, however it does, the
kernel lets them go on.
"""

from __future__ import annotations

import errno
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import processes
import ptrace
import step_tasks
from failure import Failure
from ptrace import Entered, Left
from step_calls import EXECS, MAKES
from step_frames import Frames
from step_tasks import Chooser, Task

WAITS_AFTER = 0.25
"""Seconds after which it is told of a call that it has not returned."""
_TICK, _SHORT_TICK = 0.05, 0.002
_WORKS = "Rt"
"""States (proc(5)) of a thread that runs, or has stopped for us, and not just waits."""
_WAITS = "SD"
"""States of one that waits in its call, and not just for a processor."""
_STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_RESTARTS = range(-516, -511)
"""Results that no program sees: a signal has come, the call is made again, or fails."""
_PATIENCE = 10.0
_Answer = OSError | Failure | None


def prepare() -> None:
    """To be called before any thread is made: SIGCHLD is to wake the stepper, nobody else."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])


class Stepper:
    """A thread that steps the processes it is told to, and their children."""

    def __init__(self, frames: Frames, everything: bool) -> None:
        self._frames = frames
        self._chooser = Chooser(everything)
        self._tasks: dict[int, Task] = {}
        self._held: list[Task] = []
        """Those that are about to make a call while another one is at work in one."""
        self._wanted: queue.Queue[tuple[int, queue.Queue[_Answer]]] = queue.Queue()
        self._ending = threading.Event()
        self._over = threading.Event()
        self.notes: list[str] = []
        # ptrace(2) obeys only the thread that has seized, so all is done in one.
        self._thread = threading.Thread(target=self._run, name="stepper", daemon=True)
        self._thread.start()

    def step(self, pid: int) -> None:
        """Step a process from now on, unless the film is full before that. Raises Failure where
        that is not permitted."""
        answer: queue.Queue[_Answer] = queue.Queue()
        self._wanted.put((pid, answer))
        if self._over.is_set():
            self._answer_late()
        self._wake()
        try:
            error = answer.get(timeout=_PATIENCE)
        except queue.Empty:
            raise Failure("the film has ended") from None
        if isinstance(error, Failure):
            raise error
        if error is not None:
            raise Failure(f"process {pid} cannot be stopped at its calls: {_why(error)}")

    def stop(self) -> None:
        """Let all go on, and end; what was seen is written then."""
        self._ending.set()
        self._wake()
        self._thread.join()

    def _wake(self) -> None:
        if self._thread.is_alive() and self._thread.ident is not None:
            with suppress(ProcessLookupError):  # it has just ended, as where the film is full
                signal.pthread_kill(self._thread.ident, signal.SIGCHLD)

    def _run(self) -> None:
        try:
            while not (self._ending.is_set() or self._frames.full):
                self._seize_wanted()
                while not self._frames.full and self._one_stop():
                    pass
                self._let_next()
                self._tell_waits()
                signal.sigtimedwait([signal.SIGCHLD], _SHORT_TICK if self._held else _TICK)
            self._frames.close(self._pids())
        except OSError as error:
            self.notes.append(f"the film ended early: {error}")
        finally:
            self._over.set()
            self._answer_late()
        # That the thread ends lets all that it traces go on.

    def _pids(self) -> set[int]:
        return {task.pid for task in self._tasks.values()}

    def _seize_wanted(self) -> None:
        while not self._wanted.empty():
            pid, answer = self._wanted.get()
            try:
                for tid in processes.threads(pid):
                    ptrace.seize(tid)
                    self._tasks[tid] = Task(tid, pid)
            except OSError as error:
                answer.put(error)
            else:
                answer.put(None)

    def _answer_late(self) -> None:
        """Answer who has asked since nobody is stepped any more."""
        with suppress(queue.Empty):
            while True:
                _, answer = self._wanted.get_nowait()
                answer.put(None if self._frames.full else Failure("the film has ended"))

    def _one_stop(self) -> bool:
        """See to one thread that has stopped or ended; return False where there is none."""
        options = os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT | ptrace.WALL
        try:
            told = os.waitid(os.P_ALL, 0, options)
        except ChildProcessError:
            return False
        if told is None:
            return False
        if told.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
            self._ended(told.si_pid)
            return True
        _, status = os.waitpid(told.si_pid, ptrace.WALL)
        self._frames.now()
        with suppress(ProcessLookupError):  # killed while it was stopped
            self._stopped(self._task(told.si_pid), status >> 16, os.WSTOPSIG(status))
        return True

    def _task(self, tid: int) -> Task:
        if tid not in self._tasks:
            pid = tid
            with suppress(OSError):
                pid = step_tasks.process_of(tid)
            self._tasks[tid] = Task(tid, pid)
        return self._tasks[tid]

    def _ended(self, tid: int) -> None:
        """Nobody else knows yet that it has ended: that is told to its parent when we wait."""
        self._frames.now()
        task = self._task(tid)
        pids = self._pids()
        del self._tasks[tid]
        self._held = [one for one in self._held if one.tid != tid]
        told = os.waitid(os.P_PID, tid, os.WEXITED | os.WNOWAIT | ptrace.WALL)
        if told is not None and task.tid == task.pid:
            ended = told.si_status if told.si_code == os.CLD_EXITED else -told.si_status
            self._frames.ended(task, ended, pids)
        os.waitpid(tid, ptrace.WALL)

    def _stopped(self, task: Task, event: int, number: int) -> None:
        if number == signal.SIGTRAP | ptrace.AT_CALL:
            self._at_call(task)
            if task.call is not None and self._at_work(task):
                self._held.append(task)
            elif not self._frames.full:  # else it is let go when the thread ends
                self._go_on(task)
        elif event == ptrace.EVENT_STOP and number in _STOPS:
            ptrace.listen(task.tid)
        elif event == ptrace.EVENT_EXEC:
            self._replaced(task)
            ptrace.resume(task.tid)
        elif event in ptrace.EVENT_FORKS:
            self._task(ptrace.message(task.tid))
            ptrace.resume(task.tid)
        else:
            ptrace.resume(task.tid, 0 if event else number)

    def _at_work(self, but: Task) -> bool:
        """Whether a thread is at work in a call: what it changes would be seen too early, or
        too late, after another's. One that waits in its call, as for a client, is not."""
        return any(
            task.call is not None
            and task is not but
            and task not in self._held
            and processes.state(task.pid, task.tid) in _WORKS
            for task in self._tasks.values()
        )

    def _let_next(self) -> None:
        """Let one make its call that was held, once nobody is at work in one."""
        while self._held and not self._at_work(self._held[0]):
            task = self._held.pop(0)
            with suppress(ProcessLookupError):
                self._go_on(task)

    def _go_on(self, task: Task) -> None:
        """Let one make its call, or go on after it: it begins only now, however long it took to
        look at what was before it."""
        if task.call is not None:
            task.call.began = time.monotonic()
        ptrace.resume(task.tid)

    def _replaced(self, task: Task) -> None:
        """Of a process that has become another program only one thread is left."""
        former = self._tasks.get(ptrace.message(task.tid), task)
        task.call = former.call
        for tid in [one.tid for one in self._tasks.values() if one.pid == task.pid]:
            if tid != task.tid:
                del self._tasks[tid]

    def _at_call(self, task: Task) -> None:
        told = ptrace.call(task.tid)
        if isinstance(told, Entered):
            task.call = self._chooser.chosen(task.tid, told)
            if task.call is not None and task.call.name not in EXECS:
                self._before(task)
        elif isinstance(told, Left) and task.call is not None:
            call, task.call = task.call, None
            self._returned(task, call, told)

    def _before(self, task: Task) -> None:
        """Another call than the last one is about to be made: nothing has changed since that."""
        if not self._frames.may_repeat(task):
            self._frames.settle(self._pids())

    def _returned(self, task: Task, call: step_tasks.Call, left: Left) -> None:
        if call.name in EXECS:
            if not left.failed:
                self._frames.became(task, call, self._pids())
            return
        if call.name in MAKES and not self._chooser.made(task.tid, call, left.result):
            return
        if left.result in _RESTARTS and not call.waits:
            return
        memory = call.memory
        if not left.failed:
            memory = step_tasks.filled(task.tid, call, left.result)
        self._frames.returned(task, call, memory, left.result, self._pids())

    def _tell_waits(self) -> None:
        late = time.monotonic() - WAITS_AFTER
        for task in list(self._tasks.values()):
            call = task.call
            if task in self._held or call is None or call.waits or call.name in EXECS:
                continue
            if call.began < late and processes.state(task.pid, task.tid) in _WAITS:
                call.waits = True
                self._frames.now()
                self._frames.waits(task, call, self._pids())


def look_of(tables: Any) -> Callable[[Iterable[int]], dict[str, Any]]:
    """Return what looks at some processes: `tables` are SocketTables of what is stepped."""

    def look(pids: Iterable[int]) -> dict[str, Any]:
        wanted = set(pids)
        told: dict[str, Any] = tables.look()
        told["processes"] = [one for one in told["processes"] if one["pid"] in wanted]
        return told

    return look


def _why(error: OSError) -> str:
    if error.errno == errno.EPERM:
        return (
            "ptrace(2) is not permitted: the observer needs CAP_SYS_PTRACE, no security profile "
            "may forbid it, and no other tracer may have the process"
        )
    return error.strerror or str(error)
