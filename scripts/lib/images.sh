# Step images: the images that labs run on.
# shellcheck shell=bash

IMAGES_STAMP=.venv/.images

images_wanted() {
  find images -type f ! -name '*.pyc' ! -name '*.md' -exec cat {} + | checksum
}

# labctl itself looks closely at every `up`; here a quick look is enough.
images_are_there() {
  [ -f "$IMAGES_STAMP" ] && [ "$(cat "$IMAGES_STAMP")" = "$(images_wanted)" ] &&
    docker image inspect labctl-host:latest labctl-observer:latest >/dev/null 2>&1
}

# Whether the base image can only come from packages, with a tool that is not there yet.
needs_mmdebstrap() {
  local upstream
  if ! has apt-get || has mmdebstrap; then return 1; fi
  if docker image inspect labctl-base:latest >/dev/null 2>&1; then return 1; fi
  upstream="$(sed -n 's/^ARG FROM=//p' images/base/Dockerfile)"
  ! bounded 60 docker pull --quiet "$upstream" >/dev/null 2>&1
}

setup_images() {
  if images_are_there; then return; fi
  if needs_mmdebstrap && may_install; then
    say "No registry answers, so the base image is made from this machine's own packages"
    # An ordinary user needs uidmap for it.
    if is_root; then apt_install mmdebstrap; else apt_install mmdebstrap uidmap; fi
  fi
  say "Building the images that labs run on"
  .venv/bin/python -m labctl images build || exit $?
  images_wanted >"$IMAGES_STAMP"
}
