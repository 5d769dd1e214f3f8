#!/usr/bin/busybox sh
# The guest's first process: mounts, modules, every test program, the end. Lines that begin with @@ are for xtask.
# `sh` is there already, and stays.
/usr/bin/busybox --install -s /usr/bin 2>/dev/null
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
[ -d /sys/fs/cgroup ] && mount -t cgroup2 cgroup2 /sys/fs/cgroup
dmesg -n 1
ip link set lo up
for module in /modules/*; do
  insmod "$module" 2>/dev/null || echo "@@ module $module"
done
export WIRELOOM_BIN=/usr/sbin/wireloom WIRELOOM_SKIPS=/tmp/skips RUST_BACKTRACE=0
filter=$(cat /tests/filter)
while read -r number folder; do
  cd "$folder" || cd /
  : >$WIRELOOM_SKIPS
  read -r uptime _ </proc/uptime
  echo "@@ start $uptime"
  # Through a pipe: a test program writes line by line, and no colours.
  { CARGO_MANIFEST_DIR="$folder" "/tests/$number" $filter </dev/null 2>&1; echo "@@ status $?"; } | cat
  sed 's/^/@@ skip /' $WIRELOOM_SKIPS
  read -r uptime _ </proc/uptime
  echo "@@ end $uptime"
done </tests/list
echo "@@ done"
sync
reboot -f
