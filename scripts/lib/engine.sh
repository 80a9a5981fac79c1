# Step engine: a Docker engine that answers.
# shellcheck shell=bash

SOCKET=/var/run/docker.sock

engine_answers() { bounded 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Whether the user chose another engine than this machine's own.
engine_is_elsewhere() {
  [ -n "${DOCKER_HOST:-}" ] && return
  has docker && [ "$(docker context show 2>/dev/null || echo default)" != default ]
}

setup_engine() {
  if has docker && engine_answers; then return; fi
  if engine_is_elsewhere; then
    fail "the Docker engine at ${DOCKER_HOST:-the current docker context} does not answer" \
      "start it, or unset DOCKER_HOST and choose a context with \`docker context use\`"
  fi
  require_access
  if ! has docker || ! has_dockerd; then install_engine; fi
  has docker && engine_answers && return
  start_engine
}

# dockerd lies in sbin, which is not on every user's PATH.
has_dockerd() { PATH="$PATH:/usr/sbin:/sbin" has dockerd; }

require_access() {
  if [ -S "$SOCKET" ] && ! [ -w "$SOCKET" ]; then
    fail "you are not permitted to use the Docker engine ($SOCKET)" \
      "sudo usermod -aG docker \$USER, log in again, then run this again"
  fi
}

install_engine() {
  local packages="docker.io"
  may_install || fail "there is no Docker engine on this machine" \
    "install one (as root: apt-get install docker.io, or see docs.docker.com/engine/install)"
  apt_lists
  # Newer distributions have the client in a package of its own.
  if [ -n "$(candidate docker-cli)" ]; then packages="$packages docker-cli"; fi
  # shellcheck disable=SC2086  # one word a package
  apt_install $packages
}

start_engine() {
  may_be_root || fail "the Docker engine is not running" "sudo systemctl start docker"
  # One that is still ending would not let another start.
  wait_until 30 no_dockerd || true
  say "Starting the Docker engine"
  start_service || start_dockerd
  wait_until 60 test -S "$SOCKET" || fail "the Docker engine does not start" "$ENGINE_LOGS"
  require_access
  wait_until 30 engine_answers || fail "the Docker engine does not answer" "$ENGINE_LOGS"
}

no_dockerd() {
  local pid
  pid="$(cat /var/run/docker.pid 2>/dev/null)" || return 0
  ! [ -d "/proc/$pid" ]
}

# Through the init system; fails where there is none, or where it cannot (some containers).
start_service() {
  if [ -d /run/systemd/system ]; then
    as_root systemctl start docker
  else
    [ -x /etc/init.d/docker ] && as_root service docker start >/dev/null 2>&1
  fi
}

# In a session of its own, so that it outlives this shell.
DOCKERD_LOG=/var/log/dockerd.log
ENGINE_LOGS="see \`journalctl -u docker\`, or $DOCKERD_LOG where there is no systemd"
start_dockerd() {
  # shellcheck disable=SC2016  # expanded by the inner shell
  as_root sh -c 'PATH="$PATH:/usr/sbin:/sbin"; setsid dockerd >"$1" 2>&1 </dev/null &' sh "$DOCKERD_LOG"
}
