# Step compose: Docker Compose, as a plugin of the docker client.
# shellcheck shell=bash

# The oldest version that labctl works with; labctl/engine/compose.py says the same.
OLDEST_COMPOSE=2.20

# The oldest Debian release whose own packages hold Compose 2. A Debian before it gets
# the two plugins, single programs, from there.
PLUGIN_SUITE=trixie
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

compose_is_there() {
  local version
  version="$(bounded 20 docker compose version --short 2>/dev/null)" || return 1
  is_new_enough "${version#v}"
}

# is_new_enough MAJOR.MINOR...
is_new_enough() {
  local major="${1%%.*}" minor="${1#*.}"
  minor="${minor%%[!0-9]*}"
  case "$major:$minor" in *[!0-9:]* | :* | *:) return 1 ;; esac
  [ "$major" -gt "${OLDEST_COMPOSE%.*}" ] ||
    { [ "$major" -eq "${OLDEST_COMPOSE%.*}" ] && [ "$minor" -ge "${OLDEST_COMPOSE#*.}" ]; }
}

setup_compose() {
  if compose_is_there; then return; fi
  compose_from_packages || compose_from_newer_debian ||
    fail "Docker Compose $OLDEST_COMPOSE or newer is not there, only: $(docker compose version --short 2>/dev/null || echo none)" \
      "install the Compose plugin of your distribution, or see docs.docker.com/compose/install"
}

# Install the distribution's or the vendor's plugins, where apt knows them.
compose_from_packages() {
  may_install || return 1
  apt_lists
  local package packages=""
  for package in docker-compose-v2 docker-compose-plugin docker-compose; do
    if dpkg --compare-versions "$(candidate "$package")" ge "$OLDEST_COMPOSE"; then
      packages="$package"
      break
    fi
  done
  [ -n "$packages" ] || return 1
  for package in docker-buildx docker-buildx-plugin; do
    if [ -n "$(candidate "$package")" ]; then
      packages="$packages $package"
      break
    fi
  done
  # shellcheck disable=SC2086  # one word a package
  apt_install $packages
  compose_is_there
}

# The mirror of Debian that this machine's apt uses.
# shellcheck disable=SC2016  # $(NAME) is apt's notation for a field
debian_mirror() {
  has apt-get || return 0
  local listing
  for listing in true false; do
    # Without release information (no `apt-get update` yet) the origin stays unknown.
    apt-get -o "APT::Get::IndexTargets::ReleaseInfo=$listing" indextargets \
      --format '$(ORIGIN) $(COMPONENT) $(SITE)' 'Created-By: Packages' 2>/dev/null
  done | sed -n -e 's|^Debian main \(https\{0,1\}://.*\)$|\1|p' \
    -e 's|^\$(ORIGIN) main \(https\{0,1\}://.*/debian\)$|\1|p' | head -n 1
}

plugin_folder() {
  if is_root; then
    echo /usr/local/lib/docker/cli-plugins
  else
    echo "${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"
  fi
}

# Fetch the plugins with apt, in a state of its own: the machine's apt does not change.
compose_from_newer_debian() {
  local mirror folder work
  mirror="$(debian_mirror)"
  if [ -z "$mirror" ] || ! [ -r "$KEYRING" ]; then return 1; fi
  folder="$(plugin_folder)"
  say "Installing into $folder: docker-compose and docker-buildx of Debian $PLUGIN_SUITE"
  work="$(mktemp -d)"
  chmod 755 "$work"
  if fetch_plugins "$mirror" "$work" >"$work/log" 2>&1; then
    mkdir -p "$folder"
    install -m 755 "$work"/tree/usr/libexec/docker/cli-plugins/docker-* "$folder"
  else
    tail -n 5 "$work/log" >&2
  fi
  rm -rf "$work"
  compose_is_there
}

# fetch_plugins MIRROR FOLDER: the packages' content, signatures checked, in FOLDER/tree.
fetch_plugins() {
  local mirror="$1" work="$2" package
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/tree"
  echo "deb [signed-by=$KEYRING] $mirror $PLUGIN_SUITE main" >"$work/sources.list"
  local own=(
    -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=-
    -o Dir::Etc::Preferences=- -o Dir::Etc::PreferencesParts=-
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache"
    -o Acquire::Languages=none -o APT::Update::Error-Mode=any
  )
  apt-get "${own[@]}" update || return 1
  for package in docker-compose docker-buildx; do
    (cd "$work" && apt-get "${own[@]}" -o APT::Sandbox::User=root download "$package") || return 1
    dpkg-deb --extract "$work/$package"_*.deb "$work/tree" || return 1
  done
}
