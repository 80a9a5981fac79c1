"""The names of Linux's numbers, as the man pages have them and strace(1) prints them.

From the kernel's headers (include/uapi), the same on x86-64 and arm64 but for some O_ flags,
which are left out. Numbers without a name here are shown in hexadecimal.
"""

from __future__ import annotations

from collections.abc import Mapping

from labctl.sequence.events import Value


def _listed(first: int, names: str) -> dict[int, str]:
    return {n: name for n, name in enumerate(names.split(), first) if name != "-"}


_ERRNO = {
    **_listed(
        1,
        """EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES
        EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY
        ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK
        ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH
        ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME
        ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG
        EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ
        ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT
        EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE
        EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN
        ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY
        EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE
        ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL
        EHWPOISON""",
    ),
    **_listed(512, "ERESTARTSYS ERESTARTNOINTR ERESTARTNOHAND ENOIOCTLCMD ERESTART_RESTARTBLOCK"),
}
_SIGNAL = _listed(
    1,
    """SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2
    SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG
    SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS""",
)

FAMILY = {
    0: "AF_UNSPEC",
    1: "AF_UNIX",
    2: "AF_INET",
    10: "AF_INET6",
    16: "AF_NETLINK",
    17: "AF_PACKET",
    38: "AF_ALG",
    40: "AF_VSOCK",
}
TYPE = {
    1: "SOCK_STREAM",
    2: "SOCK_DGRAM",
    3: "SOCK_RAW",
    4: "SOCK_RDM",
    5: "SOCK_SEQPACKET",
    10: "SOCK_PACKET",
}
TYPE_MASK = 0xF
TYPE_FLAGS = {0o2000000: "SOCK_CLOEXEC", 0o4000: "SOCK_NONBLOCK"}
PROTOCOL = {
    0: "IPPROTO_IP",
    1: "IPPROTO_ICMP",
    6: "IPPROTO_TCP",
    17: "IPPROTO_UDP",
    41: "IPPROTO_IPV6",
    58: "IPPROTO_ICMPV6",
    132: "IPPROTO_SCTP",
    136: "IPPROTO_UDPLITE",
    255: "IPPROTO_RAW",
    262: "IPPROTO_MPTCP",
}
NETLINK = _listed(
    0,
    """NETLINK_ROUTE NETLINK_UNUSED NETLINK_USERSOCK NETLINK_FIREWALL NETLINK_SOCK_DIAG
    NETLINK_NFLOG NETLINK_XFRM NETLINK_SELINUX NETLINK_ISCSI NETLINK_AUDIT NETLINK_FIB_LOOKUP
    NETLINK_CONNECTOR NETLINK_NETFILTER NETLINK_IP6_FW NETLINK_DNRTMSG NETLINK_KOBJECT_UEVENT
    NETLINK_GENERIC""",
)
HOW = _listed(0, "SHUT_RD SHUT_WR SHUT_RDWR")
MESSAGE = {
    **{
        1 << n: name
        for n, name in enumerate(
            [
                "MSG_OOB",
                "MSG_PEEK",
                "MSG_DONTROUTE",
                "MSG_CTRUNC",
                "MSG_PROBE",
                "MSG_TRUNC",
                "MSG_DONTWAIT",
                "MSG_EOR",
                "MSG_WAITALL",
                "MSG_FIN",
                "MSG_SYN",
                "MSG_CONFIRM",
                "MSG_RST",
                "MSG_ERRQUEUE",
                "MSG_NOSIGNAL",
                "MSG_MORE",
                "MSG_WAITFORONE",
            ]
        )
    },
    0x40000: "MSG_BATCH",
    0x4000000: "MSG_ZEROCOPY",
    0x20000000: "MSG_FASTOPEN",
    0x40000000: "MSG_CMSG_CLOEXEC",
}
SPLICE = {1: "SPLICE_F_MOVE", 2: "SPLICE_F_NONBLOCK", 4: "SPLICE_F_MORE", 8: "SPLICE_F_GIFT"}
FCNTL = {
    **_listed(
        0,
        "F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN "
        "F_SETSIG F_GETSIG - - - F_SETOWN_EX F_GETOWN_EX",
    ),
    **_listed(36, "F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW"),
    **_listed(1024, "F_SETLEASE F_GETLEASE F_NOTIFY"),
    1030: "F_DUPFD_CLOEXEC",
    1031: "F_SETPIPE_SZ",
    1032: "F_GETPIPE_SZ",
    1033: "F_ADD_SEALS",
    1034: "F_GET_SEALS",
}
DESCRIPTOR_FLAGS = {1: "FD_CLOEXEC"}
OPEN_FLAGS = {
    0o2000: "O_APPEND",
    0o4000: "O_NONBLOCK",
    0o10000: "O_DSYNC",
    0o20000: "O_ASYNC",
    0o1000000: "O_NOATIME",
    0o2000000: "O_CLOEXEC",
}
ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR")
EPOLL_FLAGS = {0o2000000: "EPOLL_CLOEXEC"}
EPOLL = _listed(1, "EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD")
CLOSE_RANGE = {2: "CLOSE_RANGE_UNSHARE", 4: "CLOSE_RANGE_CLOEXEC"}
CLONE = {
    0x100: "CLONE_VM",
    0x200: "CLONE_FS",
    0x400: "CLONE_FILES",
    0x800: "CLONE_SIGHAND",
    0x1000: "CLONE_PIDFD",
    0x2000: "CLONE_PTRACE",
    0x4000: "CLONE_VFORK",
    0x8000: "CLONE_PARENT",
    0x10000: "CLONE_THREAD",
    0x20000: "CLONE_NEWNS",
    0x40000: "CLONE_SYSVSEM",
    0x80000: "CLONE_SETTLS",
    0x100000: "CLONE_PARENT_SETTID",
    0x200000: "CLONE_CHILD_CLEARTID",
    0x400000: "CLONE_DETACHED",
    0x800000: "CLONE_UNTRACED",
    0x1000000: "CLONE_CHILD_SETTID",
    0x2000000: "CLONE_NEWCGROUP",
    0x4000000: "CLONE_NEWUTS",
    0x8000000: "CLONE_NEWIPC",
    0x10000000: "CLONE_NEWUSER",
    0x20000000: "CLONE_NEWPID",
    0x40000000: "CLONE_NEWNET",
    0x80000000: "CLONE_IO",
}
WAIT = {
    1: "WNOHANG",
    2: "WSTOPPED",
    4: "WEXITED",
    8: "WCONTINUED",
    0x1000000: "WNOWAIT",
    0x20000000: "__WNOTHREAD",
    0x40000000: "__WALL",
    0x80000000: "__WCLONE",
}
WAIT_FOR = _listed(0, "P_ALL P_PID P_PGID P_PIDFD")
IOCTL = {
    0x5401: "TCGETS",
    0x5411: "TIOCOUTQ",
    0x5413: "TIOCGWINSZ",
    0x541B: "FIONREAD",
    0x5421: "FIONBIO",
    0x5450: "FIONCLEX",
    0x5451: "FIOCLEX",
    0x5452: "FIOASYNC",
    0x8905: "SIOCATMARK",
    0x8912: "SIOCGIFCONF",
    0x8933: "SIOCGIFINDEX",
}


def error(number: int) -> str:
    """Return the name of an errno; of one without, its number as a text."""
    return _ERRNO.get(number, str(number))


def signal(number: int) -> str:
    """Return the name of a signal, real-time ones as strace has them: `SIGRT_2` for 34."""
    return _SIGNAL.get(number, f"SIGRT_{number - 32}")


def word(names: Mapping[int, str], number: int) -> str:
    """Return the name of a constant."""
    return names.get(number) or hex(number)


def bits(names: Mapping[int, str], number: int) -> list[Value]:
    """Return the names of the bits that are set, and the rest as one number."""
    found: list[Value] = [name for bit, name in names.items() if number & bit]
    rest = number & ~sum(names)
    return [*found, hex(rest)] if rest else found
