#!/bin/bash
# The cores are pure: nothing in their objects asks for a clock, a file, a socket, a thread or the
# environment, and the simulator that links them needs no library beyond the language's own and the
# hash of the codec. usage: purity.sh PROGRAM ARCHIVE...
set -u
program=$1
shift
bad=0

allowed='^(libstdc\+\+|libm|libgcc_s|libc|libxxhash|ld-linux-[a-z0-9-]+'
allowed+='|libasan|libubsan|libtsan|libclang_rt[a-z0-9_.-]*)\.so'
for library in $(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
  if ! [[ $library =~ $allowed ]]; then
    echo "$program needs $library: some core is not pure"
    bad=1
  fi
done

banned='^(clock_gettime|gettimeofday|time|clock|nanosleep|usleep|sleep|getrandom|rand|srand|random'
banned+='|open|open64|openat|fopen|fopen64|read|write|fsync|socket|connect|send|recv|poll|select'
banned+='|epoll_[a-z]+|getenv|secure_getenv|getpid|fork|system|popen'
banned+='|pthread_create|pthread_mutex_lock'
banned+='|zmq_[a-z_]+|sqlite3_[a-z0-9_]+|printf|puts|putchar|fprintf|syslog'
banned+='|_ZNSt6chrono[A-Za-z0-9_]*3nowEv|_ZNSt13random_device.*|_ZSt4cout|_ZSt4cerr|_ZSt4clog'
banned+='|_ZNSt6thread.*)(@.*)?$'
for archive in "$@"; do
  found=$(nm --undefined-only --format=posix "$archive" 2>/dev/null | awk '{print $1}' |
    grep -E "$banned" | sort -u | tr '\n' ' ')
  if [ -n "$found" ]; then
    echo "$archive asks the world for: $found"
    bad=1
  fi
done
[ $bad = 0 ] && echo "pure: $*"
exit $bad
