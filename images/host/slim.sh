#!/bin/sh
# Remove from a Debian system what a lab host never uses. Runs once, in the image's build.
set -eu

# Nothing is installed on a host later, so what installs goes, although it is "essential".
# dpkg itself stays: `dpkg-query` then still tells what the image holds.
for package in apt bsdutils debconf login perl-base; do
  dpkg --purge --force-depends --force-remove-essential --force-remove-protected "$package" \
    >/dev/null 2>&1 || true
done

# Then all that nothing needs any more: dpkg refuses to remove what another depends on.
installed() { dpkg-query -W -f '${Essential} ${Package}\n' | sed -n 's/^no //p'; }
before=0
while [ "$before" != "$(installed | wc -l)" ]; do
  before="$(installed | wc -l)"
  # shellcheck disable=SC2046  # one word a package
  dpkg --purge --abort-after=1000 $(
    installed | grep -vxE 'dpkg|iproute2|iputils-ping|mawk|procps|python3'
  ) >/dev/null 2>&1 || true
done

find /var/lib/dpkg/info -type f ! -name '*.list' -delete
rm -rf \
  /usr/share/doc /usr/share/info /usr/share/man /usr/share/locale /usr/share/lintian \
  /usr/share/bash-completion /usr/share/zoneinfo /usr/share/i18n \
  /usr/lib/*-linux-*/gconv /usr/bin/localedef \
  /etc/apt /var/lib/apt /var/cache/* /var/backups/* /var/lib/dpkg/*-old \
  /var/log/* /tmp/* /var/tmp/*

python="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
rm -rf "$python/lib2to3" "$python/pydoc_data" "$python/ensurepip" "$python/test"

# No program of a host runs with more rights than its user: ping works without, through
# net.ipv4.ping_group_range. A copy has no file capabilities.
find / -xdev -type f \( -perm -4000 -o -perm -2000 \) -exec chmod u-s,g-s {} +
cp /bin/ping /bin/ping.plain
mv /bin/ping.plain /bin/ping
