/* Makes one call to the system fail that concerns a file below a given folder: the n-th of those that are counted.

   Preloaded into a process, and told by it (arm, disarm) when and how. What is opened below the folder is remembered by
   its descriptor, so that reads and writes are counted too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define MOST 65536
static char folder[4096];
static atomic_int left = -1, code, counted;
static atomic_char watched[MOST];

void arm(const char *below, int nth, int error) {
    strncpy(folder, below, sizeof folder - 1);
    code = error;
    counted = 0;
    left = nth;
}

int disarm(void) {
    left = -1;
    return counted;
}

static int below(const char *path) { return left >= 0 && path && folder[0] && strncmp(path, folder, strlen(folder)) == 0; }

static int on(int fd) { return left >= 0 && fd >= 0 && fd < MOST && watched[fd]; }

static int fails(void) {
    int nth = atomic_fetch_add(&counted, 1) + 1;
    if (left > 0 && nth == left) {
        errno = code;
        return 1;
    }
    return 0;
}

#define NEXT(name) static typeof(&name) next; if (!next) next = (typeof(&name))dlsym(RTLD_NEXT, #name)
#define OPENED(fd, path) do { if (fd >= 0 && fd < MOST) watched[fd] = folder[0] && strncmp(path, folder, strlen(folder)) == 0; } while (0)
#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags); NEXT(open); if (below(path) && fails()) return -1; int fd = next(path, flags, mode); OPENED(fd, path); return fd; }
int open64(const char *path, int flags, ...) { MODE(flags); NEXT(open64); if (below(path) && fails()) return -1; int fd = next(path, flags, mode); OPENED(fd, path); return fd; }
int openat(int at, const char *path, int flags, ...) { MODE(flags); NEXT(openat); if (below(path) && fails()) return -1; int fd = next(at, path, flags, mode); OPENED(fd, path); return fd; }
int openat64(int at, const char *path, int flags, ...) { MODE(flags); NEXT(openat64); if (below(path) && fails()) return -1; int fd = next(at, path, flags, mode); OPENED(fd, path); return fd; }
int close(int fd) { NEXT(close); if (fd >= 0 && fd < MOST) watched[fd] = 0; return next(fd); }
ssize_t read(int fd, void *to, size_t size) { NEXT(read); if (on(fd) && fails()) return -1; return next(fd, to, size); }
ssize_t pread64(int fd, void *to, size_t size, off64_t at) { NEXT(pread64); if (on(fd) && fails()) return -1; return next(fd, to, size, at); }
ssize_t write(int fd, const void *from, size_t size) { NEXT(write); if (on(fd) && fails()) return -1; return next(fd, from, size); }
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) { NEXT(pwrite64); if (on(fd) && fails()) return -1; return next(fd, from, size, at); }
int fsync(int fd) { NEXT(fsync); if (on(fd) && fails()) return -1; return next(fd); }
int link(const char *from, const char *to) { NEXT(link); if (below(to) && fails()) return -1; return next(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) { NEXT(linkat); if (below(to) && fails()) return -1; return next(a, from, b, to, flags); }
int rename(const char *from, const char *to) { NEXT(rename); if (below(to) && fails()) return -1; return next(from, to); }
int unlink(const char *path) { NEXT(unlink); if (below(path) && fails()) return -1; return next(path); }
int mkdir(const char *path, mode_t mode) { NEXT(mkdir); if (below(path) && fails()) return -1; return next(path, mode); }
int stat64(const char *path, struct stat64 *to) { NEXT(stat64); if (below(path) && fails()) return -1; return next(path, to); }
int lstat64(const char *path, struct stat64 *to) { NEXT(lstat64); if (below(path) && fails()) return -1; return next(path, to); }
int statx(int at, const char *restrict path, int flags, unsigned mask, struct statx *restrict to) {
    NEXT(statx);
    if ((path[0] ? below(path) : on(at)) && fails()) return -1;
    return next(at, path, flags, mask, to);
}
