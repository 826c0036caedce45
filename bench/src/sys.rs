//! The system calls that the standard library does not offer. All `unsafe` code is here.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Error};
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// An epoll instance.
pub struct Epoll(OwnedFd);

/// Events at once.
pub const BATCH: usize = 512;
pub const IN: u32 = libc::EPOLLIN as u32;
pub const OUT: u32 = libc::EPOLLOUT as u32;

pub type Events = [libc::epoll_event; BATCH];

#[must_use]
pub const fn no_events() -> Events {
    [libc::epoll_event { events: 0, u64: 0 }; BATCH]
}

impl Epoll {
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the descriptor is new and ours.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    fn control(&self, operation: libc::c_int, fd: RawFd, events: u32) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events,
            u64: fd as u64,
        };
        // SAFETY: `event` lives through the call.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, fd, &raw mut event) })?;
        Ok(())
    }

    pub fn add(&self, fd: RawFd, events: u32) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, events)
    }

    pub fn change(&self, fd: RawFd, events: u32) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, events)
    }

    /// Waits; no limit with `None`. Returns how many of `events` are set.
    pub fn wait(&self, events: &mut Events, limit: Option<Duration>) -> io::Result<usize> {
        // Rounded up: waking up early would be a busy loop.
        let limit = limit.map_or(-1, |limit| {
            limit.as_micros().div_ceil(1000).min(60_000) as libc::c_int
        });
        // SAFETY: the buffer has BATCH places.
        let got = unsafe {
            libc::epoll_wait(
                self.0.as_raw_fd(),
                events.as_mut_ptr(),
                BATCH as libc::c_int,
                limit,
            )
        };
        match check(got) {
            Ok(got) => Ok(got as usize),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// A non-blocking socket on its way to `address`.
pub fn connect(address: SocketAddrV4) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the descriptor is new and ours.
    let fd = check(unsafe {
        libc::socket(
            libc::AF_INET,
            libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
            0,
        )
    })?;
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let name = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from(*address.ip()).to_be(),
        },
        sin_zero: [0; 8],
    };
    // SAFETY: `name` lives through the call and has the size that is said.
    let result = unsafe {
        libc::connect(
            fd,
            (&raw const name).cast(),
            size_of::<libc::sockaddr_in>() as libc::socklen_t,
        )
    };
    match check(result) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(socket),
    }
}

/// The next connection that waits, non-blocking; an error of its own kind when there is none.
pub fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    // SAFETY: null is allowed for an address that nobody wants; the descriptor is new and ours.
    unsafe {
        let fd = check(libc::accept4(
            listener.as_raw_fd(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
        ))?;
        Ok(OwnedFd::from_raw_fd(fd).into())
    }
}

/// Sets the length of the queue of connections that wait to be accepted.
pub fn set_backlog(listener: &TcpListener, length: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::listen(listener.as_raw_fd(), length) }).map(drop)
}

/// Raises the limit of open files to the hard limit, and returns that.
pub fn raise_file_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` lives through both calls.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    limit.rlim_cur = limit.rlim_max;
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    Ok(limit.rlim_max)
}

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub cpu: Duration,
    /// Peak of the resident memory, in bytes.
    pub memory: u64,
    /// Exit status, or 128 and the number of the signal.
    pub status: i32,
}

/// Waits until a child ends, at most `limit` long; then it is killed, and `None` comes back.
pub fn wait(pid: u32, limit: Duration) -> io::Result<Option<Cost>> {
    let pid = pid as libc::pid_t;
    // SAFETY: no pointers; the descriptor is new and ours.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = check(fd as libc::c_int)?;
    let pidfd = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut poll = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one place, which lives through the call.
    let ended = check(unsafe { libc::poll(&raw mut poll, 1, limit.as_millis() as libc::c_int) })?;
    if ended == 0 {
        // SAFETY: no pointers; the child is ours and was not waited for.
        check(unsafe { libc::kill(pid, libc::SIGKILL) })?;
    }
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both live through the call; all zeroes is a valid rusage.
    check(unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) })?;
    let usage = unsafe { usage.assume_init() };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    Ok((ended > 0).then(|| Cost {
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        memory: usage.ru_maxrss as u64 * 1024,
        status: if libc::WIFEXITED(status) {
            libc::WEXITSTATUS(status)
        } else {
            128 + libc::WTERMSIG(status)
        },
    }))
}

/// The CPU time that a process has used so far.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let mut clock = 0;
    // SAFETY: both live through their calls.
    if unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &raw mut clock) } != 0 {
        return Err(Error::other("the process is gone"));
    }
    let mut time: libc::timespec = unsafe { zeroed() };
    check(unsafe { libc::clock_gettime(clock, &raw mut time) })?;
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

/// A pipe whose buffer is full: who writes to it waits for ever. The reading end comes first.
pub fn full_pipe() -> io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: two places; the descriptors are new and ours.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) })?;
    let (reader, writer) = unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) };
    while io::Write::write(&mut &writer, &[b'x'; 4096]).is_ok() {}
    while io::Write::write(&mut &writer, b"x").is_ok() {}
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, 0) })?;
    Ok((reader, writer))
}

/// A named pipe that nobody reads.
pub fn named_pipe(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_encoded_bytes())?;
    // SAFETY: the string lives through the call.
    check(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }).map(drop)
}

/// Moves this process into a network of its own, with nothing but loopback, and gives it a
/// view of the file system in which `resolv_conf` stands in the place of the system's.
/// The process must have one thread only.
pub fn isolate(resolv_conf: &str) -> io::Result<()> {
    let own = libc::CLONE_NEWNET | libc::CLONE_NEWNS;
    // SAFETY: no pointers.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    if user == 0 {
        check(unsafe { libc::unshare(own) })?;
    } else {
        check(unsafe { libc::unshare(own | libc::CLONE_NEWUSER) })?;
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
        std::fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    }
    private_mounts()?;
    mount(Path::new(resolv_conf), Path::new("/etc/resolv.conf"))?;
    loopback_up()
}
/// What is mounted from here on is seen by this process and its children alone.
fn private_mounts() -> io::Result<()> {
    let null = std::ptr::null();
    let all = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: the string lives through the call; null is allowed where it stands.
    check(unsafe { libc::mount(null, c"/".as_ptr(), null, all, null.cast()) }).map(drop)
}

/// Shows a file in the place of another.
fn mount(file: &Path, place: &Path) -> io::Result<()> {
    let file = CString::new(file.as_os_str().as_encoded_bytes())?;
    let place = CString::new(place.as_os_str().as_encoded_bytes())?;
    let null = std::ptr::null();
    // SAFETY: the strings live through the call; null is allowed where it stands.
    check(unsafe {
        libc::mount(
            file.as_ptr(),
            place.as_ptr(),
            null,
            libc::MS_BIND,
            null.cast(),
        )
    })
    .map(drop)
}

/// A file that this process and its children see in the place of another, until this is dropped.
/// Root alone may do that.
pub struct Replaced(CString);

impl Replaced {
    pub fn new(file: &Path, place: &Path) -> io::Result<Self> {
        // SAFETY: no pointers.
        check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
        private_mounts()?;
        mount(file, place)?;
        Ok(Self(CString::new(place.as_os_str().as_encoded_bytes())?))
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        // SAFETY: the string lives through the call.
        unsafe { libc::umount2(self.0.as_ptr(), libc::MNT_DETACH) };
    }
}

fn loopback_up() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: all zeroes is a valid ifreq; the name is short enough, and the request lives
    // through the call.
    unsafe {
        let mut request: libc::ifreq = zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
            *to = *from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        check(libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCSIFFLAGS as _,
            &raw const request,
        ))?;
    }
    Ok(())
}
